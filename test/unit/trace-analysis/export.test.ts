import { describe, expect, it } from 'vitest';
import { createHtmlWriter } from '../../../src/lib/trace-analysis/export/html.js';
import { createJsonWriter } from '../../../src/lib/trace-analysis/export/json.js';
import { createMarkdownWriter } from '../../../src/lib/trace-analysis/export/markdown.js';
import { createScansionWriter } from '../../../src/lib/trace-analysis/export/scansion.js';
import type { TraceWriter } from '../../../src/lib/trace-analysis/export/formats.js';
import type { HeaderRecord } from '../../../src/lib/trace/record.js';
import { TraceView } from '../../../src/lib/trace/view-trace.js';
import { header, login, nest, recordTrace, type Line } from '../../support/recorded-trace.js';

/** As the command does it, a record at a time. */
function write(writer: TraceWriter, ...connections: readonly (readonly Line[])[]): string {
  const view = new TraceView({});
  let text = writer.begin('a <b>.trace');
  for (const record of recordTrace(...connections))
    text += writer.write(view.push([record]), header as HeaderRecord);
  return text + writer.write(view.end(), header as HeaderRecord) + writer.end();
}

const ping: Line[] = [
  "→<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
  "←<iq type='result' id='1'/>",
];

describe('trace export --format html', () => {
  it('has what was recorded in a block in which no tag begins', () => {
    const text = write(createHtmlWriter(), [
      ...login,
      ...ping,
      '←<message><body></script><!--<script></body></message>',
    ]);
    const [, data = ''] = /id="events">([\s\S]*?)<\/script>/.exec(text) ?? [];
    expect(data).not.toContain('<');
    const events = JSON.parse(data) as unknown[][];
    expect(events.map((event) => event[4])).toContain('message');
    expect(events.filter((event) => event[4] === 'iq').at(-1)).toEqual([
      11,
      11,
      1,
      'in',
      'iq',
      'iq result',
      ['jabber:client'],
      '',
      10,
      1,
      "<iq type='result' id='1'/>",
    ]);
    expect(text).toContain('<title>a &lt;b&gt;.trace</title>');
    expect(text).toMatch(
      /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'/,
    );
    expect(text).not.toMatch(/\son\w+=|src=|href=|@import|url\(/);
  });

  it('is a page also when nothing was recorded', () => {
    expect(write(createHtmlWriter())).toMatch(/id="events">\[\n?\]<\/script>/);
  });
});

describe('trace export --format json', () => {
  it('is one document', () => {
    const { log } = JSON.parse(write(createJsonWriter(), [...login, ...ping], login)) as {
      log: Record<string, unknown[]>;
    };
    expect(log).toMatchObject({ version: '1', creator: { name: 'xmppctl 0.1.0' }, redacted: true });
    expect(log['connections']).toMatchObject([{ conn: 1, label: 'c2s alice@example.org' }, { conn: 2 }]);
    expect(log['entries']).toContainEqual(
      expect.objectContaining({ n: 11, replyTo: 10, rttMs: 1, kind: 'iq' }),
    );
  });
});

describe('trace export --format md', () => {
  it('reads as a log', () => {
    const text = write(createMarkdownWriter(), [
      { name: 'tcp', detail: { address: '192.0.2.1', port: 5222 } },
      ...ping,
      { gap: [5, 9] },
    ]);
    expect(text).toBe(
      [
        '# `a <b>.trace`',
        'Recorded `2026-01-31T10:00:00.000Z` by `xmppctl 0.1.0`, secrets were taken out. → is sent, ← is received.',
        '## `connection 1: c2s alice@example.org`',
        '- 2.00 ms `TCP 192.0.2.1:5222`',
        '**3** → 3.00 ms, connection 1: `iq get ping urn:xmpp:ping`',
        "```xml\n<iq type='get' id='1'>\n  <ping xmlns='urn:xmpp:ping'/>\n</iq>\n```",
        '**4** ← 4.00 ms, connection 1: `iq result`, answers 3 after 1.00 ms',
        "```xml\n<iq type='result' id='1'/>\n```",
        '- **gap** `records 5 to 9 are missing: no space left on the disk`',
        '',
      ].join('\n\n'),
    );
  });
});

describe('trace export --format scansion', () => {
  it('has each client that was bound, and what came after that', () => {
    const text = write(createScansionWriter(), [...login, ...ping], [...login.slice(0, 3)], login);
    expect(text.match(/^\[Client\] .*$/gm)).toEqual(['[Client] Client1', '[Client] Client3']);
    expect(text).toContain(
      'Client1 sends:\n\t<iq type="get" id="1">\n\t\t<ping xmlns="urn:xmpp:ping"/>\n\t</iq>\n',
    );
    expect(text).not.toMatch(/auth|starttls|<bind/);
  });

  it('leaves out what a server puts in, and names what is another each time', () => {
    const text = write(createScansionWriter(), [
      ...login,
      "→<presence id='p1' from='alice@example.org/desk'/>",
      "←<presence id='p1' from='alice@example.org/desk' to='alice@example.org/desk'/>",
      "←<iq type='set' id='push7' to='alice@example.org/desk'><query xmlns='jabber:iq:roster' ver='3'/></iq>",
      "→<message to='alice@example.org/desk' id='m1'><body>&lt;a&amp;b&gt;</body></message>",
    ]);
    const [, script = ''] = text.split('-----\n\n');
    expect(script).toBe(
      [
        'Client1 connects\n',
        'Client1 sends:\n\t<presence id="p1"/>\n',
        'Client1 receives:\n\t<presence id="p1" from="${Client1\'s full JID}"/>\n',
        'Client1 receives:\n\t<iq type="set" id="{scansion:any}">\n\t\t<query xmlns="jabber:iq:roster" ver="{scansion:any}"/>\n\t</iq>\n',
        'Client1 sends:\n\t<message to="${Client1\'s full JID}" id="m1">\n\t\t<body>&lt;a&amp;b&gt;</body>\n\t</message>\n',
        'Client1 disconnects\n',
      ].join('\n'),
    );
  });

  it('bears what is nested to hurt', () => {
    expect(write(createScansionWriter(), [...login, `→${nest(100_000)}`]).length).toBeLessThan(100_000);
  });
});
