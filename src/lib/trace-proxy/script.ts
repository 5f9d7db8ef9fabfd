/** `--script`: a module of the user's own that decides on stanzas. */
import path from 'node:path';
import { UsageError } from '../errors.js';
import type { Direction } from '../trace/events.js';
import type { TraceElement } from '../trace/trace-element.js';
import type { Interceptor, Verdict } from './intercept.js';

/** What `onStanza` is given first. */
interface ScriptedStanza {
  /** `out` is from the client. */
  direction: Direction;
  xml: string;
  element: TraceElement;
}

/** What `onStanza` is given second. A stanza for which nothing is called passes byte for byte. */
interface ScriptApi {
  drop(): void;
  replace(xml: string): void;
  duplicate(): void;
  /** Drops the stanza, and gives this to its sender. */
  reply(xml: string): void;
  /** Holds it, and what is behind it. */
  delay(ms: number): void;
}

/** @throws UsageError the module cannot be loaded, or exports no `onStanza` */
export async function loadScript(file: string): Promise<Interceptor> {
  let loaded: { onStanza?: unknown };
  try {
    // The built program has `require` for this (which takes ES modules from Node 20.19 on): a path suits both.
    loaded = (await import(path.resolve(file))) as { onStanza?: unknown };
  } catch (cause) {
    throw new UsageError(
      `cannot load the script ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  const { onStanza } = loaded;
  if (typeof onStanza !== 'function')
    throw new UsageError(`the script ${file} exports no onStanza`, {
      hint: 'export function onStanza(stanza, api) { … } from an ES module (.mjs)',
    });
  return scripted(onStanza as (stanza: ScriptedStanza, api: ScriptApi) => unknown);
}

/** Whatever the function throws ends up as a failure of the connection, not of the proxy. */
export function scripted(onStanza: (stanza: ScriptedStanza, api: ScriptApi) => unknown): Interceptor {
  return async ({ dir, text, tree }) => {
    let verdict: Verdict | undefined;
    let delayMs = 0;
    await onStanza(
      { direction: dir, xml: text, element: tree },
      {
        drop: () => (verdict = { action: 'drop', forward: [] }),
        replace: (xml) => (verdict = { action: 'replace', forward: [{ xml }] }),
        duplicate: () => (verdict = { action: 'duplicate', forward: ['original', 'original'] }),
        reply: (xml) => (verdict = { action: 'reply', forward: [], reply: [xml] }),
        delay: (ms) => (delayMs = ms),
      },
    );
    if (delayMs <= 0) return verdict;
    return { ...(verdict ?? { action: 'delay', forward: ['original'] }), delayMs };
  };
}
