// The files of ClusterPage, as a browser gets them.
#include "backend/app/cluster_page.h"

namespace limpet::app {

const std::string_view kClusterPageHtml = R"page(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>limpet</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/limpet.css">
<body data-path="@PATH@">
<header>
  <h1>limpet</h1>
  <p id="state" role="status">connecting</p>
</header>
<main>
  <section aria-labelledby="cluster">
    <h2 id="cluster">Nodes</h2>
    <table>
      <thead><tr><th>node</th><th>sessions</th><th></th></tr></thead>
      <tbody id="nodes"></tbody>
    </table>
    <p class="note">Another tab is likely to be on another node.</p>
  </section>
  <section aria-labelledby="chat">
    <h2 id="chat">Chat</h2>
    <ol id="lines" aria-live="polite"></ol>
    <form id="form">
      <input id="text" maxlength="500" autocomplete="off" placeholder="Say something" aria-label="Message" autofocus>
      <button>Send</button>
    </form>
  </section>
</main>
<script src="/limpet.js"></script>
</html>
)page";

const std::string_view kClusterPageCss =
    R"page(:root { color-scheme: light dark; --line: #8884; --me: #2a7d4f; }
@media (prefers-color-scheme: dark) { :root { --me: #6fcf97; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 1rem 0 .5rem; }
#state { margin: 0; }
#state.on { color: var(--me); }
main { display: grid; grid-template-columns: minmax(14rem, 1fr) 2fr; gap: 2rem; }
@media (max-width: 40rem) { main { grid-template-columns: 1fr; gap: 0; } }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
th:nth-child(2), td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
tr.me { font-weight: 600; color: var(--me); }
.note { font-size: .85rem; opacity: .7; }
#lines { list-style: none; margin: 0; padding: .5rem; height: 18rem; overflow-y: auto; border: 1px solid var(--line); border-radius: .4rem; }
#lines li { overflow-wrap: anywhere; }
#lines b { margin-right: .4rem; }
#lines small { opacity: .7; margin-right: .4rem; }
#lines .mine b { color: var(--me); }
form { display: flex; gap: .5rem; margin-top: .5rem; }
input { flex: 1; min-width: 0; }
input, button { font: inherit; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem; }
)page";

// As much of Socket.IO's client as a page needs: WebSocket alone, text events, acknowledgements, heartbeats.
const std::string_view kClusterPageJs = R"page('use strict';
const at = (id) => document.getElementById(id);

class Client {
  // `on` is told of the connection, `events` has who hears what the server sends: anybody may have named that.
  constructor(path, on, events) {
    Object.assign(this, { path, on, events: new Map(Object.entries(events)), acks: new Map(), next: 0, wait: 200 });
    this.open();
  }
  open() {
    const url = new URL(`${this.path}?EIO=4&transport=websocket`, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new WebSocket(url);
    this.socket.onmessage = ({ data }) => this.packet(String(data));
    this.socket.onclose = () => {
      clearTimeout(this.silence);
      this.sid = undefined;
      this.acks.clear();
      this.on.disconnect(this.refusal);
      this.refusal = undefined;
      setTimeout(() => this.open(), this.wait * (0.5 + Math.random()));
      this.wait = Math.min(this.wait * 2, 5000);
    };
  }
  heard() {  // the server pings; who hears nothing for longer has lost it
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket.close(), this.patience);
  }
  packet(text) {
    if (text[0] === '0') {
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      this.patience = pingInterval + pingTimeout;
      this.socket.send('40');
    }
    this.heard();
    if (text[0] === '2') this.socket.send('3');
    if (text[0] !== '4') return;
    const [, type, id, rest] = text.slice(1).match(/^(\d)(\d*)([^]*)$/) ?? [];
    if (type === '0') {
      this.sid = JSON.parse(rest).sid;
      this.wait = 200;
      this.on.connect();
    } else if (type === '1') {
      this.socket.close();
    } else if (type === '2') {
      const [event, ...args] = JSON.parse(rest);
      this.events.get(event)?.(...args);
    } else if (type === '3') {
      const ack = this.acks.get(Number(id));
      this.acks.delete(Number(id));
      ack?.(...JSON.parse(rest));
    } else if (type === '4') {
      this.refusal = JSON.parse(rest).message;
      this.wait = 5000;
      this.socket.close();
    }
  }
  emit(...args) { if (this.sid) this.socket.send(`42${JSON.stringify(args)}`); }
  ask(event, then, ...args) {
    if (!this.sid) return;
    this.acks.set(this.next, then);
    this.socket.send(`42${this.next++}${JSON.stringify([event, ...args])}`);
  }
}

const room = 'lobby';
let node;

function state(text, on = false) {
  at('state').textContent = text;
  at('state').className = on ? 'on' : '';
}

function element(name, text, className = '') {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function show(nodes) {
  if (!Array.isArray(nodes)) return;
  const order = new Intl.Collator('en', { numeric: true });
  nodes.sort((a, b) => order.compare(a.id, b.id));
  at('nodes').replaceChildren(...nodes.map(({ id, sessions }) => {
    const row = element('tr', '', id === node ? 'me' : '');
    row.append(element('td', id), element('td', sessions), element('td', id === node ? 'this tab' : ''));
    return row;
  }));
}

const client = new Client(document.body.dataset.path, {
  connect() {
    client.ask('join', () => {}, room);
    client.ask('who', (id) => {
      node = String(id);
      state(`this tab is served by ${node}`, true);
      document.title = `limpet: ${node}`;
      client.ask('nodes', show);
    });
  },
  disconnect(refusal) {
    state(refusal ? `refused: ${refusal}` : 'connection lost; connecting again');
    node = undefined;
  },
}, {
  message(data) {
    if (!['text', 'from', 'node'].every((key) => typeof data?.[key] === 'string')) return;
    const line = element('li', '', data.from === client.sid ? 'mine' : '');
    line.append(element('b', data.from.slice(0, 6)), element('small', `on ${data.node.slice(0, 64)}`), data.text.slice(0, 500));
    const lines = at('lines');
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(line);
    while (lines.childElementCount > 200) lines.firstChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;  // who reads further up is left there
  },
});

setInterval(() => { if (!document.hidden) client.ask('nodes', show); }, 1000);

at('form').onsubmit = (event) => {
  event.preventDefault();
  const text = at('text').value.trim();
  if (!text || !client.sid || node === undefined) return;
  client.emit('broadcast', room, { from: client.sid, node, text });
  at('text').value = '';
};
)page";

}  // namespace limpet::app
