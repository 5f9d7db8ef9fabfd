/** Who has made the document what it is, as far as the records tell. */
import type { SharedDocument } from './shared-document.js';
import type { SharedRecord } from './record.js';

export interface RecordChanges {
  /** Where it is: `/html/body/p[2]/text()`. */
  path: string;
  rid: string;
  creator: string;
  lastModifiedBy: string;
  version: number;
  /** What it says now. */
  text: string;
}

/** In the order of the document, what is shown of it. */
export function* changesBy(document: SharedDocument): Generator<RecordChanges> {
  const open: { record: SharedRecord; path: string }[] = [];
  const add = (rid: string, path: string): void => {
    const children = document.container(rid)?.all() ?? [];
    const counts = new Map<string, number>();
    const steps = children.map((record) => {
      const step = stepOf(record);
      const count = (counts.get(step) ?? 0) + 1;
      counts.set(step, count);
      return { record, path: `${path}/${step}${record.type === 'attr' ? '' : `[${count}]`}` };
    });
    open.push(...steps.reverse());
  };
  add('', '');
  for (let next = open.pop(); next; next = open.pop()) {
    const { record, path } = next;
    const { rid, creator, lastModifiedBy, version, fields } = record;
    const text = record.type === 'element' ? '' : fields.chdata || fields.pidata;
    yield { path, rid, creator, lastModifiedBy, version, text };
    if (record.type === 'element') add(rid, path);
  }
}

function stepOf({ type, fields }: SharedRecord): string {
  switch (type) {
    case 'element':
      return fields.name;
    case 'attr':
      return `@${fields.name}`;
    case 'text':
      return 'text()';
    case 'comment':
      return 'comment()';
    case 'processinginstruction':
      return `processing-instruction('${fields.pitarget}')`;
  }
}
