// A page in a real browser, on nodes of ours behind limpet: it connects, upgrades, exchanges events and outlives its node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { launch } from './chromium.mjs';
import { threeNodes } from '../node/three_nodes.mjs';

const client = readFileSync(fileURLToPath(new URL('../node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url)));
const html = `<!doctype html><script src="/client.js"></script><script>
  const seen = { messages: [], disconnects: [], nodes: [] };
  const socket = io({ reconnectionDelay: 100, reconnectionDelayMax: 300 });
  socket.on('connect', async () => seen.nodes.push(await socket.emitWithAck('who')));
  socket.on('disconnect', (reason) => seen.disconnects.push(reason));
  socket.on('message', (data) => seen.messages.push(data));
  const transport = () => socket.connected && socket.io.engine.transport.name;
</script>`;

// Serves the page; the proxy sends /socket.io/ to the nodes and the rest here.
async function pageServer(world) {
  const pages = { '/': ['text/html', html], '/client.js': ['text/javascript', client] };
  const server = http.createServer((request, response) => {
    const [type, body] = pages[request.url] ?? ['text/plain', ''];
    response.writeHead(200, { 'Content-Type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.own({ close: () => server.close() });
  return `127.0.0.1:${server.address().port}`;
}

scenario('a page on nodes of ours', { seconds: 90 }, async (world) => {
  const pages = await pageServer(world);
  const more = `[pool.pages]\nservers = ["pages=${pages}"]\n[pool.pages.cookie]\nmode = "off"\n[pool.pages.health]\ntype = "off"\n`
    + '[[route]]\npath = "/socket.io/"\npool = "ws"\n[[route]]\npool = "pages"\n';
  const { proxy, node } = await threeNodes(world, { pool: '', more });
  const browser = await launch(world);
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(proxy.url);
  await until(() => page.evaluate('transport()') .then((name) => name === 'websocket'), 10_000, 'the page is on WebSocket');

  const echoed = await page.evaluate(`(async () => {
    const sent = { text: 'é€𝄞', list: [1, 1.5, null, { a: true }], bytes: new Uint8Array([1, 2, 3]).buffer };
    const back = await socket.emitWithAck('echo', sent);
    return [back.text, back.list, [...new Uint8Array(back.bytes)]];
  })()`);
  assert.deepEqual(echoed, ['é€𝄞', [1, 1.5, null, { a: true }], [1, 2, 3]]);
  await page.evaluate(`(async () => { await socket.emitWithAck('join', 'room'); socket.emit('broadcast', 'room', 'to all in it'); })()`);
  await until(() => page.evaluate('seen.messages.length === 1'), 5000, 'the page has its message');

  const [home] = await page.evaluate('seen.nodes');
  node(home).signal('SIGTERM');
  assert.deepEqual(await node(home).ended, { code: 0, signal: null });
  await until(() => page.evaluate('seen.nodes.length === 2 && transport() === "websocket"'), 10_000, 'the page is on another node');
  const seen = await page.evaluate('seen');
  assert.notEqual(seen.nodes[1], home);
  assert.deepEqual([seen.disconnects, errors], [['transport close'], []]);
  assert.equal(await page.evaluate(`socket.emitWithAck('echo', 'again')`), 'again');
});
