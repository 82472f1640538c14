// What strangers together can take of a node: memory, places, time.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { Child } from '../lib/child.mjs';
import { slowness, until } from '../lib/deadline.mjs';
import { Address, binary, request } from '../lib/limpet.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { scenario } from '../lib/world.mjs';

const open = (node) => request(node.address, '/socket.io/?EIO=4&transport=polling');

async function client(world, node, options = {}) {
  const socket = io(node.url, { transports: ['websocket'], reconnection: false, ...options });
  world.own({ close: () => socket.disconnect() });
  await until(() => socket.connected, 5000, 'the client connects');
  return socket;
}

// A Socket.IO client that says what a test wants; it answers pings.
async function bare(world, node) {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  world.own({ close: () => socket.terminate() });
  const heard = [];
  socket.on('error', () => {}).on('close', () => { socket.gone = true; });
  socket.on('message', (data) => {
    heard.push(String(data));
    if (heard.at(-1) === '2') socket.send('3');
  });
  await until(() => heard.length, 5000, 'the open packet');
  socket.send('40');
  await until(() => heard.some((packet) => packet.startsWith('40')), 5000, 'the namespace');
  return socket;
}

scenario('clients that read nothing are closed before they take all memory, others are served', async (world) => {
  const node = world.own(await LimpetNode.start(['--max-buffered', '64MiB', '--admin', '127.0.0.1:0']));
  const honest = await client(world, node);
  const hoarders = [];
  for (let i = 0; i < 8; i += 1) hoarders.push(await bare(world, node));
  for (const each of hoarders) each.pause();
  const evicted = () => node.metric('limpet_node_evicted_total');
  const much = JSON.stringify('x'.repeat(900_000));
  let full = false;
  for (let round = 0; round < 40 && !await evicted(); round += 1) {
    for (const each of hoarders) if (!each.gone) each.send(`420["echo",${much}]`);
    assert.equal(await honest.timeout(5000 * slowness).emitWithAck('echo', round), round);
    full ||= (await node.health()).body === 'full';
  }
  assert.ok(await evicted() > 0);
  assert.ok(full, 'health says so beforehand');
  assert.ok(await node.metric('limpet_node_buffered_bytes') <= await node.metric('limpet_node_max_buffered_bytes'));
  assert.equal(await honest.timeout(5000 * slowness).emitWithAck('echo', 'still'), 'still');
  for (const each of hoarders) each.terminate();
  await until(async () => (await node.health()).body === 'ok', 5000, 'there is room again');
});

scenario('bodies that never end are cut off before they take all memory', async (world) => {
  const node = world.own(await LimpetNode.start(['--max-buffered', '64MiB', '--admin', '127.0.0.1:0']));
  const honest = await client(world, node);
  const sids = [];
  for (let i = 0; i < 90; i += 1) sids.push(JSON.parse((await open(node)).body.slice(1)).sid);
  const posts = [];
  for (const sid of sids) {
    const post = await RawConnection.open(node.address);
    world.own({ close: () => post.destroy() });
    posts.push(post.send(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\n`
      + `Content-Length: 1000000\r\n\r\n${'x'.repeat(900_000)}`));
    if (await node.metric('limpet_node_evicted_total')) break;
  }
  await until(() => posts.some((post) => post.ending), 5000, 'one is cut off');
  assert.equal(await honest.timeout(5000 * slowness).emitWithAck('echo', 1), 1);
});

scenario('silent connections make room for those who ask', async (world) => {
  const node = new Child('limpet node', '/bin/sh', ['-c', `ulimit -n 164; exec "${binary}" node --listen 127.0.0.1:0`]);
  world.own({ close: () => node.kill(), log: () => node.log() });
  const [, text] = await node.says(/listening on (\S+)$/m, 10_000, 'stderr');
  const address = new Address(text);
  for (let i = 0; i < 100; i += 1) {
    const silent = await RawConnection.open(address);
    world.own({ close: () => silent.destroy() });
  }
  const ask = () => request(address, '/socket.io/?EIO=4&transport=polling').then(({ status }) => status, () => 0);
  for (let i = 0; i < 3; i += 1) await until(async () => await ask() === 200, 5000, 'it is served long before they time out');
});

scenario('handshakes that nobody comes back for make room for those who do', async (world) => {
  const node = world.own(await LimpetNode.start(['--max-connections', '200']));
  for (let i = 0; i < 200; i += 1) assert.equal((await open(node)).status, 200);
  assert.equal((await node.health()).body, 'ok');
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    const socket = await client(world, node, { transports });
    assert.equal(await socket.timeout(5000 * slowness).emitWithAck('echo', 1), 1);
  }
});

for (const transport of ['websocket', 'polling']) {
  scenario(`who sends faster than it may is read slower, by ${transport}, and loses nothing`, async (world) => {
    const node = world.own(await LimpetNode.start(['--events-per-second', '100', '--admin', '127.0.0.1:0']));
    const socket = await client(world, node, { transports: [transport] });
    const numbers = Array.from({ length: 250 }, (_, i) => i);
    assert.deepEqual(await Promise.all(numbers.map((n) => socket.timeout(20_000 * slowness).emitWithAck('echo', n))), numbers);
    assert.ok(await node.metric('limpet_node_throttled_total') > 0);
    assert.ok(socket.connected);
  });
}

scenario('who is ahead by more than its heartbeat is closed as silent', async (world) => {
  const node = world.own(await LimpetNode.start([
    '--events-per-second', '10', '--ping-interval', '300ms', '--ping-timeout', '300ms', '--admin', '127.0.0.1:0']));
  const socket = await bare(world, node);
  for (let i = 0; i < 1000; i += 1) socket.send('42["echo",1]');
  await until(() => socket.gone, 10_000, 'it is closed');
  assert.equal(await node.metric('limpet_node_sessions_closed_total', { reason: 'ping timeout' }), 1);
});

scenario('attachments that do not come end their connection, others live', async (world) => {
  const node = world.own(await LimpetNode.start(['--ping-interval', '400ms', '--ping-timeout', '400ms', '--admin', '127.0.0.1:0']));
  const other = await bare(world, node);
  const socket = await bare(world, node);
  socket.send('451-["echo",{"_placeholder":true,"num":0}]');
  await until(() => socket.gone, 10_000, 'it is closed');
  assert.equal(await node.metric('limpet_node_invalid_total'), 1);
  assert.ok(!other.gone);
});
