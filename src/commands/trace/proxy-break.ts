/** `--break`: a stanza is held until the person at the terminal has decided. */
import type { Context } from '../../lib/context.js';
import type { Interceptor, InterceptedStanza, Verdict } from '../../lib/trace-proxy/intercept.js';
import { parseTraceElement } from '../../lib/trace/trace-element.js';
import type { Selector } from '../../lib/trace/selector.js';

const choices = [
  { value: 'pass', label: 'pass it on as it is' },
  { value: 'edit', label: 'edit it first' },
  { value: 'twice', label: 'pass it on twice' },
  { value: 'drop', label: 'drop it' },
] as const;

/** One question at a time, whichever connection it is about. */
export function breakPoint(selector: Selector, context: Context): Interceptor {
  let last: Promise<unknown> = Promise.resolve();
  return (stanza) => {
    if (!selector(stanza.tree)) return undefined;
    const decided = last.then(() => decide(stanza, context));
    last = decided.catch(() => undefined);
    return decided;
  };
}

async function decide(stanza: InterceptedStanza, context: Context): Promise<Verdict | undefined> {
  const { output, prompt } = context;
  await output.flush();
  output.note(`${stanza.dir === 'out' ? 'from the client' : 'from the server'}: ${stanza.text}`);
  switch (await prompt.select('What becomes of it?', choices)) {
    case 'pass':
      return undefined;
    case 'twice':
      return { action: 'duplicate', forward: ['original', 'original'] };
    case 'drop':
      return { action: 'drop', forward: [] };
    case 'edit':
      return edit(stanza, context);
  }
}

async function edit(stanza: InterceptedStanza, context: Context): Promise<Verdict | undefined> {
  const { editText } = await import('../../lib/programs/edit-text.js');
  const xml = (await editText(stanza.text, { name: 'stanza.xml', env: context.env })).trim();
  if (xml === stanza.text.trim()) return undefined;
  if (parseTraceElement(xml) !== undefined) return { action: 'replace', forward: [{ xml }] };
  context.output.warn('that is no element: the stanza is as it was');
  return decide(stanza, context);
}
