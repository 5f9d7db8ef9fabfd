import type { ConfigValue } from './options.js';

/** A value as a Lua expression. */
export function renderLua(value: ConfigValue): string {
  if (typeof value === 'string') return luaString(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `{ ${value.map(renderLua).join(', ')} }`;
  const fields = Object.entries(value).map(([key, field]) => `[${luaString(key)}] = ${renderLua(field)}`);
  return `{ ${fields.join(', ')} }`;
}

function isList(value: object): value is readonly ConfigValue[] {
  return Array.isArray(value);
}

/** Lua's escapes are decimal and bytewise; letting UTF-8 through as it is suits every consumer. */
function luaString(text: string): string {
  const escaped = text.replace(
    // eslint-disable-next-line no-control-regex -- control characters are what has to be escaped
    /["\\\u0000-\u001f\u007f]/g,
    (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}
