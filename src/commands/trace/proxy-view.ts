/** What crosses a proxy on stdout, as `trace show` prints it. */
import type { Context } from '../../lib/context.js';
import type { Selector } from '../../lib/trace/selector.js';
import type { TraceSink } from '../../lib/trace/tracer.js';

/** Someone who watches wants to see the next stanza too. */
const maxWatchedText = 2000;

/** @param filter what is shown; everything when left out */
export async function openView(filter: Selector | undefined, { output }: Context): Promise<TraceSink> {
  const [{ LiveView }, { entryToJson }, { PrettyPrinter }, { printEntry }] = await Promise.all([
    import('../../lib/trace-proxy/live-view.js'),
    import('../../lib/trace/entry-json.js'),
    import('../../lib/trace/pretty-printer.js'),
    import('../../lib/trace/print-entry.js'),
  ]);
  const printer = new PrettyPrinter({ style: output.style, maxText: maxWatchedText });
  return new LiveView({
    filter: filter ? { selector: filter } : {},
    show: async (entry, startedMs) => {
      if (output.isJson) return output.item(entryToJson(entry, startedMs), String);
      const text = printEntry(entry, printer);
      if (text !== '') await output.item(text, (lines) => lines.slice(0, -1));
    },
    onLeftOut: (count) =>
      output.warn(`${count} entries were not shown: the reader is slower than the streams`),
  });
}
