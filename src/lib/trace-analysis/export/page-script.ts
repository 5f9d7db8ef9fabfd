/**
 * The script of the page of a trace, as it stands in the page. Only the rows that can be seen are elements; whatever was
 * recorded becomes text by `textContent`, nothing else.
 */
export const pageScript = String.raw`'use strict';
(() => {
  const N = 0, T = 1, CONN = 2, DIR = 3, KIND = 4, WHAT = 5, NAMESPACES = 6, ADDRESS = 7, REPLY_TO = 8, RTT = 9, TEXT = 10;
  const rowHeight = 24;
  // Browsers cannot make an element taller than some thirty million pixels.
  const maxHeight = 15e6;
  const get = (id) => document.getElementById(id);
  const events = JSON.parse(get('events').textContent);
  const head = JSON.parse(get('header').textContent || '{}');
  const [list, space, rows, detail, count, search] = ['list', 'space', 'rows', 'detail', 'count', 'search'].map(get);
  let shown = events.map((_, index) => index);
  let chosen = -1;
  let isPretty = true;

  /** Control characters and what turns the direction of text are made visible. */
  const safe = (text) => String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g,
    (character) => '\\u{' + character.charCodeAt(0).toString(16) + '}');
  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = safe(text);
    return element;
  };
  const formatMs = (ms) => ms < 10 ? ms.toFixed(2) + ' ms' : ms < 1000 ? ms.toFixed(1) + ' ms' : (ms / 1000).toFixed(2) + ' s';

  const own = new Map();
  const ownOf = (conn) => {
    if (!own.has(conn)) own.set(conn, { bare: '', domain: '' });
    return own.get(conn);
  };
  const filters = { kind: new Set(), namespace: new Map(), conn: new Map() };
  const replies = new Map();
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index];
    filters.kind.add(event[KIND]);
    for (const namespace of event[NAMESPACES]) filters.namespace.set(namespace, (filters.namespace.get(namespace) || 0) + 1);
    if (event[CONN] && !filters.conn.has(event[CONN])) filters.conn.set(event[CONN], '');
    if (event[KIND] === 'connection') {
      const label = event[WHAT].replace(/^connection \d+: /, '');
      filters.conn.set(event[CONN], label);
      const address = label.split(' ').pop() || '';
      ownOf(event[CONN]).bare = address;
      ownOf(event[CONN]).domain = address.slice(address.indexOf('@') + 1);
    }
    if (event[REPLY_TO]) replies.set(event[CONN] + ' ' + event[DIR] + ' ' + event[REPLY_TO], index);
  }
  const addOption = (select, value, text) => {
    const option = make('option', '', text.length > 80 ? text.slice(0, 80) + '…' : text);
    option.value = value;
    get(select).append(option);
  };
  for (const kind of [...filters.kind].sort()) addOption('kind', kind, kind);
  for (const [namespace, times] of [...filters.namespace].sort((a, b) => b[1] - a[1]).slice(0, 500))
    addOption('namespace', namespace, namespace + ' (' + times + ')');
  for (const [conn, label] of [...filters.conn].slice(0, 2000)) addOption('conn', String(conn), conn + (label ? ': ' + label : ''));
  get('title').textContent = document.title + (head.started ? ', ' + safe(head.started) : '');

  const isToOthers = (event) => {
    const address = event[ADDRESS].replace(/\/[\s\S]*$/, '').toLowerCase();
    const { bare, domain } = ownOf(event[CONN]);
    return address !== '' && address !== bare.toLowerCase() && address !== domain.toLowerCase();
  };
  const makeLanes = (event) => {
    const lanes = make('span', 'lanes');
    lanes.append(make('i'), make('i'), make('i'));
    if (event[DIR] === '') lanes.append(make('span', 'dot ' + event[KIND]));
    else lanes.append(make('span', 'arrow ' + event[DIR] + (isToOthers(event) ? ' far' : ' near') + (event[DIR] === 'out' ? ' right' : ' left')));
    return lanes;
  };
  const makeRow = (place) => {
    const event = events[shown[place]];
    const row = make('div', 'row' + (shown[place] === chosen ? ' chosen' : ''));
    row.dataset.place = place;
    row.setAttribute('role', 'option');
    const what = make('span', event[DIR] || event[KIND], event[WHAT].slice(0, 300) + (event[ADDRESS] ? '  ' + event[ADDRESS].slice(0, 200) : ''));
    row.append(make('span', 'number', event[N] || ''), make('span', 'number', formatMs(event[T])), make('span', '', event[CONN] || ''),
      makeLanes(event), what, make('span', 'number', event[REPLY_TO] ? formatMs(event[RTT]) : ''));
    return row;
  };

  const height = () => Math.min(shown.length * rowHeight, maxHeight);
  const firstPlace = () => {
    const room = Math.max(1, height() - list.clientHeight + rowHeight);
    const exact = height() < maxHeight ? list.scrollTop / rowHeight : (list.scrollTop / room) * Math.max(0, shown.length - list.clientHeight / rowHeight);
    return Math.max(0, Math.min(Math.floor(exact), shown.length - 1));
  };
  const draw = () => {
    const perPage = Math.ceil(list.clientHeight / rowHeight) + 2;
    const first = Math.max(0, Math.min(firstPlace() - 5, shown.length - perPage));
    const fragment = document.createDocumentFragment();
    for (let place = first; place < Math.min(shown.length, first + perPage + 10); place += 1) fragment.append(makeRow(place));
    rows.replaceChildren(fragment);
    const top = height() < maxHeight ? first * rowHeight : list.scrollTop;
    rows.style.transform = 'translateY(' + (top + rowHeight) + 'px)';
  };
  let isWaiting = false;
  const drawSoon = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => { isWaiting = false; draw(); });
  };
  const filter = () => {
    const text = search.value.toLowerCase();
    const [dir, kind, namespace, conn] = ['dir', 'kind', 'namespace', 'conn'].map((id) => get(id).value);
    const result = [];
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index];
      if (dir && event[DIR] !== dir) continue;
      if (kind && event[KIND] !== kind) continue;
      if (conn && String(event[CONN]) !== conn) continue;
      if (namespace && !event[NAMESPACES].includes(namespace)) continue;
      if (text && !event[TEXT].toLowerCase().includes(text) && !event[WHAT].toLowerCase().includes(text)) continue;
      result.push(index);
    }
    shown = result;
    space.style.height = height() + 'px';
    count.textContent = shown.length + ' of ' + events.length + ' events';
    list.scrollTop = 0;
    draw();
  };

  const tokens = /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$)|<(\/?)[^\s<>\/!?][^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>|[^<]+|</g;
  const maxTokens = 20000, maxDepth = 200;
  /** Elements that can be folded, laid out under each other. */
  const layOut = (text) => {
    const root = make('div', 'xml');
    const open = [root];
    let made = 0, end = 0;
    for (const match of text.matchAll(tokens)) {
      const token = match[0];
      if (made >= maxTokens || open.length > maxDepth) break;
      end = match.index + token.length;
      const top = open[open.length - 1];
      if (token.trim() === '') continue;
      made += 1;
      if (match[1] === undefined) top.append(make('div', '', token));
      else if (match[1] === '/') {
        if (open.length > 1) open.pop();
        const block = open[open.length - 1].lastElementChild;
        const line = make('div', 'end tag', token);
        if (block && block.tagName === 'DETAILS') block.append(line);
        else top.append(line);
      } else if (token.endsWith('/>')) top.append(make('div', 'tag', token));
      else {
        const block = make('details');
        block.open = true;
        block.append(make('summary', 'tag', token));
        top.append(block);
        open.push(block);
      }
    }
    if (end < text.length) root.append(make('pre', '', text.slice(end)));
    return root;
  };
  const jumpTo = (index) => {
    let place = shown.indexOf(index);
    if (place < 0) {
      search.value = '';
      for (const id of ['dir', 'kind', 'namespace', 'conn']) get(id).value = '';
      filter();
      place = index;
    }
    choose(place, true);
  };
  const link = (text, index) => {
    const button = make('button', '', text);
    button.type = 'button';
    button.addEventListener('click', () => jumpTo(index));
    return button;
  };
  const showDetail = () => {
    const event = events[chosen];
    if (!event) return;
    const facts = make('div', 'facts');
    facts.append(make('span', '', (event[N] ? 'record ' + event[N] + ', ' : '') + formatMs(event[T]) + (event[CONN] ? ', connection ' + event[CONN] : '')));
    if (event[REPLY_TO]) {
      for (let index = chosen - 1; index >= 0; index -= 1) {
        const other = events[index];
        if (other[N] !== event[REPLY_TO] || other[CONN] !== event[CONN] || other[KIND] !== 'iq' || other[DIR] === event[DIR]) continue;
        facts.append(link('request', index), make('span', '', 'round trip ' + formatMs(event[RTT])));
        break;
      }
    }
    const reply = replies.get(event[CONN] + ' ' + (event[DIR] === 'in' ? 'out' : 'in') + ' ' + event[N]);
    if (event[KIND] === 'iq' && reply !== undefined) facts.append(link('reply', reply));
    const body = event[DIR] !== '' && isPretty ? layOut(event[TEXT]) : make('pre', '', event[TEXT]);
    detail.replaceChildren(facts, make('p', '', event[WHAT]), body);
  };
  const choose = (place, isFar) => {
    if (place < 0 || place >= shown.length) return;
    chosen = shown[place];
    const top = height() < maxHeight ? place * rowHeight : (place / shown.length) * height();
    if (isFar || top < list.scrollTop || top + 2 * rowHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = Math.max(0, top - list.clientHeight / 2);
    draw();
    showDetail();
  };
  list.addEventListener('scroll', drawSoon, { passive: true });
  new ResizeObserver(drawSoon).observe(list);
  rows.addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (row) choose(Number(row.dataset.place), false);
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(shown.indexOf(chosen) + step, false);
  });
  let timer = 0;
  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(filter, 120); });
  for (const id of ['dir', 'kind', 'namespace', 'conn']) get(id).addEventListener('change', filter);
  get('pretty').addEventListener('click', (event) => {
    isPretty = !isPretty;
    event.currentTarget.setAttribute('aria-pressed', String(isPretty));
    showDetail();
  });
  filter();
  performance.mark('shown');
  list.focus({ preventScroll: true });
})();
`;
