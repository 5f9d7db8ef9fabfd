/**
 * The engine of shared editing without a network: snapshots, edits, saves, and the same random work done by Yjs.
 * Prints one JSON object.
 */
import * as Y from 'yjs';
import type { Change } from '../../../src/lib/sxe/edits.js';
import { Joining } from '../../../src/lib/sxe/joining.js';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { snapshotItems, splitState } from '../../../src/lib/sxe/snapshot.js';
import { decodeSxe, encodeSxe } from '../../../src/lib/sxe/stanzas.js';
import { readWorkingCopy, writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';
import { randomFrom } from '../../unit/sxe/simulation.js';

const session = '0f8fad5b-d9cb-469f-a165-70867728950e';
const words = 'the quick brown fox jumps over a lazy dog while apples ripen in an orchard'.split(' ');
/** Of this process: what others do on the machine counts less than on the clock. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function sentence(random: () => number, count: number): string {
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' ');
}

/** Four records each: an element, two attributes and a text. */
function paragraphs(count: number, wordCount: number): string {
  const random = randomFrom(284);
  let text = '<article>';
  for (let index = 0; index < count; index++)
    text += `<p id="p${index}" class="${words[index % words.length] ?? ''}">${sentence(random, wordCount)}</p>`;
  return `${text}</article>\n`;
}

function participantOf(text: string, name = 'alice'): Participant {
  const site = `site0000${name}`;
  return new Participant({ name, site, document: createDocument(text, name, site) });
}

/** From one participant to another by way of stanzas. */
function copy(from: Participant, name: string): { to: Participant; bytes: number } {
  const joining = new Joining({ name, site: `site0000${name}` });
  joining.offered(from.name);
  let bytes = 0;
  for (const items of splitState(snapshotItems(from.snapshot()), 24_000)) {
    const stanza = serialize(encodeSxe({ session, id: 'x', content: { kind: 'state', items } }));
    bytes += Buffer.byteLength(stanza);
    const { content } = decodeSxe(parseXml(stanza));
    const step = joining.receive(from.name, 'x', content.kind === 'state' ? content.items : []);
    if (step.kind === 'joined') return { to: step.participant, bytes };
  }
  throw new Error('the snapshot has no end');
}

function measureSnapshot(): object {
  const from = participantOf(paragraphs(25_000, 6));
  const samples: number[] = [];
  const cpu: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 5; round++) {
    const [started, cpuStarted] = [performance.now(), cpuMs()];
    const copied = copy(from, 'bob');
    samples.push(performance.now() - started);
    cpu.push(cpuMs() - cpuStarted);
    bytes = copied.bytes;
    if (copied.to.document.records.size !== from.document.records.size)
      throw new Error('records are missing');
  }
  return { records: from.document.records.size, samples, cpu, bytes };
}

/** Nothing but the work on the records: both sides of an edit, without stanzas. */
function measureEdits(count: number): object {
  const from = participantOf(paragraphs(Math.round(count / 4), 6));
  const { to } = copy(from, 'bob');
  const records = [...from.document.records.values()];
  const texts = records.filter(({ type }) => type === 'text');
  const attributes = records.filter(({ type }) => type === 'attr');
  const root = from.document.root?.rid ?? '';
  const random = randomFrom(count);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const next = (): Change[] => {
    const dice = random();
    const rid = pick(texts).rid;
    if (dice < 0.6) return [{ kind: 'set', target: rid, chdata: 'new ', replaceFrom: 0, replaceCount: 0 }];
    if (dice < 0.8) return [{ kind: 'set', target: pick(attributes).rid, chdata: String(random()) }];
    const parent = from.newRid();
    return [
      { kind: 'new', rid: parent, type: 'element', name: 'p', parent: root, weight: random() * count },
      { kind: 'new', rid: from.newRid(), type: 'text', chdata: 'new', parent },
    ];
  };
  const run = (edits: number): { editUs: number; receiveUs: number } => {
    const work = Array.from({ length: edits }, next);
    const applied = work.reduce((sum, changes) => sum + changes.length, 0);
    const perEdit = (began: number): number => ((cpuMs() - began) / applied) * 1000;
    const started = cpuMs();
    const messages = work.map((changes) => from.edit(changes).message);
    const editUs = perEdit(started);
    const between = cpuMs();
    for (const message of messages) if (message) to.receive(message);
    return { editUs, receiveUs: perEdit(between) };
  };
  run(5000);
  const samples = Array.from({ length: 5 }, () => run(5000));
  if (writeWorkingCopy(from) !== writeWorkingCopy(to)) throw new Error('they differ');
  return { records: records.length, samples };
}

/** A megabyte that somebody has changed in a hundred places and saved. */
function measureSave(): object {
  const text = paragraphs(17_000, 6);
  const participant = participantOf(text);
  const random = randomFrom(100);
  const lines = text.replaceAll('<p ', '\n<p ').split('\n');
  for (let change = 0; change < 100; change++) {
    const at = 1 + Math.floor(random() * (lines.length - 1));
    const dice = random();
    const line = lines[at] ?? '';
    if (dice < 0.6) lines[at] = line.replace(/ (\w+) (\w+) /, ` ${sentence(random, 1)} $2 `);
    else if (dice < 0.75) lines.splice(at, 0, `<p>${sentence(random, 12)}</p>`);
    else if (dice < 0.85 && lines.length - 1 > at) lines.splice(at, 1);
    else if (dice < 0.95) lines[at] = line.replace(/class="\w*"/, 'class="changed"');
    else
      lines.splice(
        Math.floor(random() * (lines.length - 2)) + 1,
        0,
        ...lines.splice(Math.min(at, lines.length - 2), 1),
      );
  }
  const saved = lines.join('');
  const samples: number[] = [];
  const cpu: number[] = [];
  let changes: Change[] = [];
  for (let round = 0; round < 11; round++) {
    const [started, cpuStarted] = [performance.now(), cpuMs()];
    changes = readWorkingCopy(participant, saved);
    samples.push(performance.now() - started);
    cpu.push(cpuMs() - cpuStarted);
  }
  participant.edit(changes);
  const expected = writeWorkingCopy(participantOf(saved));
  if (writeWorkingCopy(participant) !== expected) throw new Error('the diff is wrong');
  return { bytes: Buffer.byteLength(saved), edits: changes.length, samples, cpu, first: samples[0] };
}

/** What both engines are made to do: an editor of a document of paragraphs, each with a text and attributes. */
type Work =
  | { kind: 'insert'; paragraph: number; at: number; text: string }
  | { kind: 'delete'; paragraph: number; at: number; count: number }
  | { kind: 'attribute'; paragraph: number; value: string }
  | { kind: 'add'; at: number; text: string }
  | { kind: 'drop'; paragraph: number };

function* randomWork(count: number, start: readonly string[]): Generator<Work> {
  const random = randomFrom(1);
  const below = (limit: number): number => Math.floor(random() * limit);
  const lengths = start.map((text) => text.length);
  for (let index = 0; index < count; index++) {
    const dice = random();
    const paragraph = below(lengths.length);
    const length = lengths[paragraph] ?? 0;
    if (dice < 0.65) {
      const text = `${words[below(words.length)] ?? ''} `;
      lengths[paragraph] = length + text.length;
      yield { kind: 'insert', paragraph, at: below(length + 1), text };
    } else if (dice < 0.8) {
      const at = below(length + 1);
      const size = Math.min(below(8), length - at);
      lengths[paragraph] = length - size;
      yield { kind: 'delete', paragraph, at, count: size };
    } else if (dice < 0.9) yield { kind: 'attribute', paragraph, value: String(below(1000)) };
    else if (dice < 0.96 || lengths.length < 10) {
      const text = sentence(random, 4);
      lengths.splice(paragraph, 0, text.length);
      yield { kind: 'add', at: paragraph, text };
    } else {
      lengths.splice(paragraph, 1);
      yield { kind: 'drop', paragraph };
    }
  }
}

interface Peer {
  work: (work: Work) => void;
  bytes: () => number;
  text: () => string[];
}

function sxePeer(start: readonly string[]): Peer {
  const from = participantOf(`<doc>${start.map((text) => `<p class="0">${text}</p>`).join('')}</doc>`);
  const { to } = copy(from, 'bob');
  let bytes = 0;
  const { document } = from;
  const root = document.root?.rid ?? '';
  /** An editor knows the records of what it shows. */
  const rows = (document.container(root)?.nodes.toArray() ?? []).map(({ rid, weight }) => ({
    rid,
    weight,
    text: document.container(rid)?.nodes.toArray()[0]?.rid ?? '',
    attribute: document.container(rid)?.attributes()[0]?.rid ?? '',
  }));
  const changesOf = (work: Work): Change[] => {
    if (work.kind === 'add') {
      const [before, after] = [rows[work.at - 1]?.weight, rows[work.at]?.weight];
      const weight =
        before === undefined ? (after ?? 0) - 1 : after === undefined ? before + 1 : (before + after) / 2;
      const [rid, text, attribute] = [from.newRid(), from.newRid(), from.newRid()];
      rows.splice(work.at, 0, { rid, weight, text, attribute });
      return [
        { kind: 'new', rid, type: 'element', name: 'p', parent: root, weight },
        { kind: 'new', rid: attribute, type: 'attr', name: 'class', chdata: '0', parent: rid },
        { kind: 'new', rid: text, type: 'text', chdata: work.text, parent: rid },
      ];
    }
    const row = rows[work.paragraph];
    if (!row) return [];
    switch (work.kind) {
      case 'insert':
        return [{ kind: 'set', target: row.text, chdata: work.text, replaceFrom: work.at, replaceCount: 0 }];
      case 'delete':
        return [
          { kind: 'set', target: row.text, chdata: '', replaceFrom: work.at, replaceCount: work.count },
        ];
      case 'attribute':
        return [{ kind: 'set', target: row.attribute, chdata: work.value }];
      case 'drop':
        rows.splice(work.paragraph, 1);
        return [row.text, row.attribute, row.rid].map((target) => ({ kind: 'remove', target }));
    }
  };
  return {
    bytes: () => bytes,
    text: () =>
      writeWorkingCopy(to)
        .match(/(?<=<p[^>]*>)[^<]*(?=<\/p>)|<p[^>]*\/>/g)
        ?.map((each) => each.replace(/^<.*/, '')) ?? [],
    work(work) {
      const { message } = from.edit(changesOf(work));
      if (!message) return;
      const { id, edits: items } = message;
      const stanza = serialize(encodeSxe({ session, id, content: { kind: 'state', items } }));
      bytes += Buffer.byteLength(stanza);
      const decoded = decodeSxe(parseXml(stanza));
      if (decoded.content.kind !== 'state') throw new Error('no state');
      const edits = decoded.content.items.filter(
        (item) => item.kind === 'new' || item.kind === 'set' || item.kind === 'remove',
      );
      to.receive({ sender: 'alice', id: decoded.id, edits });
    },
  };
}

function yjsPeer(start: readonly string[]): Peer {
  const [from, to] = [new Y.Doc(), new Y.Doc()];
  let bytes = 0;
  const root = from.getXmlFragment('doc');
  const make = (text: string): Y.XmlElement => {
    const paragraph = new Y.XmlElement('p');
    paragraph.setAttribute('class', '0');
    paragraph.insert(0, [new Y.XmlText(text)]);
    return paragraph;
  };
  root.insert(0, start.map(make));
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from));
  from.on('update', (update: Uint8Array) => {
    bytes += update.length;
    Y.applyUpdate(to, update);
  });
  const textAt = (paragraph: number): Y.XmlText => (root.get(paragraph) as Y.XmlElement).get(0) as Y.XmlText;
  return {
    bytes: () => bytes,
    text: () =>
      to
        .getXmlFragment('doc')
        .toArray()
        .map((paragraph) => ((paragraph as Y.XmlElement).get(0) as Y.XmlText).toJSON()),
    work(work) {
      from.transact(() => {
        switch (work.kind) {
          case 'insert':
            textAt(work.paragraph).insert(work.at, work.text);
            break;
          case 'delete':
            textAt(work.paragraph).delete(work.at, work.count);
            break;
          case 'attribute':
            (root.get(work.paragraph) as Y.XmlElement).setAttribute('class', work.value);
            break;
          case 'add':
            root.insert(work.at, [make(work.text)]);
            break;
          case 'drop':
            root.delete(work.paragraph, 1);
        }
      });
    },
  };
}

function measurePeers(): object {
  const random = randomFrom(7);
  const start = Array.from({ length: 500 }, () => sentence(random, 12));
  const work = [...randomWork(20_000, start)];
  const run = (make: (start: readonly string[]) => Peer): { cpu: number; bytes: number; text: string[] } => {
    const peer = make(start);
    const began = cpuMs();
    for (const each of work) peer.work(each);
    return { cpu: cpuMs() - began, bytes: peer.bytes(), text: peer.text() };
  };
  const [ours, theirs] = [[run(sxePeer)], [run(yjsPeer)]];
  if (ours[0]?.text.join('\n') !== theirs[0]?.text.join('\n')) throw new Error('they have not done the same');
  for (let round = 0; round < 3; round++) {
    ours.push(run(sxePeer));
    theirs.push(run(yjsPeer));
  }
  const shown = (runs: typeof ours): object => ({ cpuMs: runs.map(({ cpu }) => cpu), bytes: runs[0]?.bytes });
  return { operations: work.length, sxe: shown(ours), yjs: shown(theirs) };
}

process.stdout.write(
  JSON.stringify({
    snapshot: measureSnapshot(),
    edits: [1000, 10_000, 100_000].map(measureEdits),
    save: measureSave(),
    peers: measurePeers(),
  }),
);
