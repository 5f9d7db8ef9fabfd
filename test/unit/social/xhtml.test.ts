import { describe, expect, it } from 'vitest';
import { htmlToXhtml } from '../../../src/lib/social/html.js';
import { markdownToXhtml } from '../../../src/lib/social/markdown.js';
import { NS_XHTML, sanitizeXhtml, xhtmlToText } from '../../../src/lib/social/xhtml.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';
import type { Element } from '../../../src/lib/xml/element.js';

const div = (content: string, maxDepth = 200): Element =>
  parseXml(`<div xmlns="${NS_XHTML}">${content}</div>`, { maxDepth });
const inner = (element: Element): string =>
  serialize(element)
    .replace(/^<div xmlns="[^"]*">/, '')
    .replace(/<\/div>$/, '')
    .replace(/^<div xmlns="[^"]*"\/>$/, '');

describe('XHTML from others', () => {
  it.each([
    ['<p onclick="x()">a</p>', '<p>a</p>'],
    ['<p style="position:fixed" class="c" id="i">a</p>', '<p>a</p>'],
    ['<script>alert(1)</script>b', 'b'],
    ['<style>p{}</style><iframe src="https://e.example/"/>b', 'b'],
    ['<a href="javascript:alert(1)">a</a>', '<a>a</a>'],
    ['<a href=" JaVaScRiPt:alert(1)">a</a>', '<a>a</a>'],
    ['<a href="java&#9;script:alert(1)">a</a>', '<a>a</a>'],
    ['<a href="data:text/html,x">a</a>', '<a>a</a>'],
    ['<a href="/relative">a</a>', '<a>a</a>'],
    ['<a href="https://e.example/" target="_top" rel="opener">a</a>', '<a href="https://e.example/">a</a>'],
    ['<a href="xmpp:a@e.example?message">a</a>', '<a href="xmpp:a@e.example?message">a</a>'],
    ['<img src="javascript:x" alt="a"/>', '<img alt="a"/>'],
    ['<img src="file:///etc/passwd" alt="a" onerror="x()"/>', '<img alt="a"/>'],
    [
      '<img src="https://e.example/a.png" alt="a" width="10" height="1e9"/>',
      '<img src="https://e.example/a.png" alt="a" width="10"/>',
    ],
    ['<form action="https://e.example/"><input/>a</form>b', 'b'],
    ['<marquee>a</marquee>', 'a'],
    ['<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>b', 'b'],
    ['<b xmlns="urn:other">a</b>', 'a'],
    ['<p xml:lang="de">a</p><p xml:lang="&quot; x">b</p>', '<p xml:lang="de">a</p><p>b</p>'],
    [
      '<table><tr><td colspan="2" onload="x">a</td></tr></table>',
      '<table><tr><td colspan="2">a</td></tr></table>',
    ],
    ['<constructor>a</constructor><toString>b</toString>', 'ab'],
  ])('%s becomes %s', (dirty, clean) => {
    expect(inner(sanitizeXhtml(div(dirty)))).toBe(clean);
  });

  it('is not nested without end', () => {
    const deep = sanitizeXhtml(div(`${'<b>'.repeat(500)}x${'</b>'.repeat(500)}`, 1000));
    expect(serialize(deep).split('<b>').length).toBeLessThan(110);
    expect(xhtmlToText(deep)).toBe('x');
  });

  it('stays what it is when it is cleaned again', () => {
    const once = sanitizeXhtml(div('<p>a <a href="https://e.example/">b</a></p><ul><li>c</li></ul>'));
    expect(serialize(sanitizeXhtml(once))).toBe(serialize(once));
  });
});

describe('HTML from elsewhere', () => {
  it.each([
    ['<p>a<br>b<p>c', '<p>a<br/>b</p><p>c</p>'],
    ['a &nbsp;&eacute; &amp; b', 'a \u00a0é &amp; b'],
    ['<IMG SRC="https://e.example/a.png" ALT=x>', '<img src="https://e.example/a.png" alt="x"/>'],
    ['<scr<script>ipt>alert(1)</script>', 'ipt&gt;alert(1)'],
    ['<a href="javascript:x" onclick=y>a</a>', '<a>a</a>'],
    ['<b><i>a</b></i>', '<b><i>a</i></b>'],
    ['<!-- c --><?php x ?>a<![CDATA[b]]>', 'a'],
  ])('%s becomes %s', (html, xhtml) => {
    expect(inner(htmlToXhtml(html))).toBe(xhtml);
  });
});

describe('XHTML as text', () => {
  it.each([
    ['<p>a\n  b</p><p>c</p>', 'a b\n\nc'],
    ['<h1>T</h1><p>a<br/>b</p>', 'T\n\na\nb'],
    ['<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>', '- a\n- b\n  - c'],
    ['<ol start="3"><li>a</li><li><p>b</p></li></ol>', '3. a\n4. b'],
    ['<blockquote><p>a</p><p>b</p></blockquote>', '> a\n>\n> b'],
    ['<pre><code>a\n  b\n</code></pre>', '    a\n      b'],
    ['<p><a href="https://e.example/">a</a></p>', 'a <https://e.example/>'],
    ['<p><a href="https://e.example/">https://e.example/</a></p>', 'https://e.example/'],
    ['<p><img src="https://e.example/a.png" alt="cat"/></p>', '[cat] <https://e.example/a.png>'],
    ['<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>', 'a | b\n1 | 2'],
    ['<p>a<strong>b</strong></p><hr/><p><q>c</q></p>', 'ab\n\n----\n\n“c”'],
    ['', ''],
  ])('%s reads %j', (xhtml, text) => {
    expect(xhtmlToText(sanitizeXhtml(div(xhtml)))).toBe(text);
  });

  it('is cleaned piece by piece for a terminal', () => {
    const style = {
      strong: (text: string) => `*${text}*`,
      dim: (text: string) => text,
      clean: (text: string) => text.replaceAll('\u202e', '?'),
    };
    expect(xhtmlToText(div('<p><b>a\u202eb</b></p><pre>\u202e</pre>'), style)).toBe('*a?b*\n\n    ?');
  });
});

describe('Markdown', () => {
  it.each([
    ['a **b** `c`', '<p>a <strong>b</strong> <code>c</code></p>\n'],
    ['<script>alert(1)</script>', '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n'],
    ['[a](javascript:alert(1))', '<p>[a](javascript:alert(1))</p>\n'],
    ['![a](https://e.example/a.png)', '<p><img src="https://e.example/a.png" alt="a"/></p>\n'],
    ['a\\\nb', '<p>a<br/>\nb</p>\n'],
    [
      '| a |\n|---|\n| 1 |',
      '<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n',
    ],
  ])('%s becomes XHTML that can do nothing', (markdown, xhtml) => {
    expect(inner(markdownToXhtml(markdown))).toBe(xhtml);
  });

  it('survives what is nested without end', () => {
    expect(serialize(markdownToXhtml('> '.repeat(5000))).length).toBeGreaterThan(0);
    expect(serialize(markdownToXhtml(`${'- '.repeat(2000)}a`)).length).toBeGreaterThan(0);
  });
});
