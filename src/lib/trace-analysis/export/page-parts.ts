/** What the page of a trace looks like. */

export const pageStyle = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c1e21; --dim: #6b7078; --line: #d9dce1; --bar: #f4f5f7; --mark: #dbeafe; --in: #0b7285; --out: #9c36b5; --bad: #c62a2f; --event: #8a6d1a; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --text: #e3e5e8; --dim: #9aa0a8; --line: #33373d; --bar: #1e2126; --mark: #1f3a5f; --in: #66d9e8; --out: #e599f7; --bad: #ff8787; --event: #ffd43b; } }
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template: auto 1fr / 1fr; font: 14px/1.4 system-ui, sans-serif; color: var(--text); background: var(--ground); }
header { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .5rem .75rem; background: var(--bar); border-bottom: 1px solid var(--line); }
header h1 { font-size: 1rem; margin: 0 auto 0 0; overflow-wrap: anywhere; } header p { margin: 0; color: var(--dim); }
input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: .3rem; padding: .15rem .4rem; max-width: 18rem; }
button[aria-pressed=true] { background: var(--mark); }
main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); min-height: 0; }
@media (max-width: 60rem) { main { grid-template: minmax(0, 1fr) minmax(0, 1fr) / 1fr; } }
#list { overflow: auto; position: relative; outline: none; contain: strict; } #list:focus-visible { box-shadow: inset 0 0 0 2px var(--in); }
#rows { position: absolute; inset: 0 0 auto 0; will-change: transform; }
.row { display: grid; grid-template-columns: 3.5rem 5rem 2.5rem 11rem minmax(0, 1fr) 5.5rem; gap: .4rem; height: 24px; line-height: 24px; padding: 0 .75rem; white-space: nowrap; cursor: default; border-bottom: 1px solid color-mix(in srgb, var(--line) 40%, transparent); }
.row > * { overflow: hidden; text-overflow: ellipsis; }
.row.chosen, .row:hover { background: var(--mark); } .number { text-align: right; color: var(--dim); font-variant-numeric: tabular-nums; }
.titles { position: sticky; top: 0; z-index: 1; background: var(--bar); color: var(--dim); } .titles:hover { background: var(--bar); }
.lanes { position: relative; display: grid; grid-template-columns: 1fr 1fr 1fr; text-align: center; }
.lanes i { border-left: 1px solid var(--line); justify-self: center; height: 100%; }
.arrow { position: absolute; top: 11px; height: 2px; background: currentColor; } .arrow::after { content: ''; position: absolute; top: -4px; border: 5px solid transparent; }
.near { left: 16.7%; width: 33.3%; } .far { left: 16.7%; width: 66.6%; }
.right::after { right: -2px; border-left-color: currentColor; border-right-width: 0; } .left::after { left: -2px; border-right-color: currentColor; border-left-width: 0; }
.dot { position: absolute; left: calc(16.7% - 4px); top: 8px; width: 8px; height: 8px; border-radius: 50%; background: currentColor; }
.in { color: var(--in); } .out { color: var(--out); } .event, .connection { color: var(--event); } .gap, .other { color: var(--bad); }
#detail { overflow: auto; border-left: 1px solid var(--line); padding: .5rem .75rem; min-width: 0; }
#detail pre, .xml { font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.xml details > :not(summary) { margin-left: 1.2rem; } .xml details > .end { margin-left: 0; } .xml summary { cursor: pointer; } .tag { color: var(--in); }
.facts { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .5rem; color: var(--dim); }
`;

export const pageBody = `<header><h1 id="title"></h1><p id="count" role="status"></p>
<input id="search" type="search" placeholder="search" aria-label="search">
<select id="dir" aria-label="direction"><option value="">both directions</option><option value="out">sent</option><option value="in">received</option></select>
<select id="kind" aria-label="kind"><option value="">all kinds</option></select>
<select id="namespace" aria-label="namespace"><option value="">all namespaces</option></select>
<select id="conn" aria-label="connection"><option value="">all connections</option></select>
<button id="pretty" type="button" aria-pressed="true">pretty</button></header>
<main><div id="list" tabindex="0" role="listbox" aria-label="events"><div class="row titles"><span class="number">record</span><span class="number">time</span><span>conn</span><span class="lanes"><b>client</b><b>server</b><b>others</b></span><span>what</span><span class="number">round trip</span></div><div id="space"></div><div id="rows"></div></div>
<section id="detail" aria-label="the chosen event"><p>Choose an event.</p></section></main>
<noscript>This page needs its script to show the events; they are in it as JSON.</noscript>`;
