// A node's end: clients are told in a way that brings them back, and the exit code says whether all were.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { slowness, until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';

const kinds = [['polling'], ['websocket'], ['polling', 'websocket']];

function client(world, node, transports, more = {}) {
  const socket = io(node.url, { forceNew: true, transports, reconnectionDelay: 50, reconnectionDelayMax: 200, ...more });
  socket.reasons = [];
  socket.on('disconnect', (reason) => socket.reasons.push(reason));
  world.own({ close: () => socket.disconnect() });
  return socket;
}

scenario('clients come back to a second node, and none is told that the server disconnected it', async (world) => {
  const first = world.own(await LimpetNode.start(['--id', 'ws1', '--drain-window', '500ms']));
  const sockets = kinds.flatMap((transports) => [1, 2].map(() => client(world, first, transports)));
  await until(() => sockets.every((socket) => socket.connected), 10_000, 'all connect');
  const wanted = (socket) => socket.io.engine.transport.name === socket.io.opts.transports.at(-1);
  await until(() => sockets.every(wanted), 10_000, 'all have their transport');

  first.signal('SIGTERM');
  await until(() => first.end, 10_000, 'the node ends');
  assert.deepEqual(first.end, { code: 0, signal: null });
  await until(() => sockets.every((socket) => socket.reasons.length), 5000, 'all have noticed');
  for (const socket of sockets) assert.equal(socket.reasons[0], 'transport close');

  const second = world.own(await LimpetNode.start(['--id', 'ws2', '--listen', first.address.text]));
  await until(() => sockets.every((socket) => socket.connected), 10_000, 'all are back');
  for (const socket of sockets) assert.equal(await socket.timeout(5000 * slowness).emitWithAck('who'), 'ws2');
  assert.equal((await second.health()).body, 'ok');
});

scenario('while it drains, health says so, no session begins, and those that there are work until their turn', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '3s', '--admin', '127.0.0.1:0']));
  const sockets = kinds.map((transports) => client(world, node, transports, { reconnection: false }));
  await until(() => sockets.every((socket) => socket.connected), 10_000, 'all connect');
  node.signal('SIGTERM');
  await until(async () => (await node.health()).status === 503, 2000, 'health turns');
  assert.equal((await node.health()).body, 'draining');
  assert.equal(await node.metric('limpet_node_draining'), 1);
  assert.equal((await request(node.address, '/socket.io/?EIO=4&transport=polling')).status, 503);
  const alive = sockets.filter((socket) => socket.connected);
  assert.ok(alive.length >= 1);
  assert.equal(await alive[0].timeout(5000 * slowness).emitWithAck('echo', 1), 1);
  await until(() => node.end, 15_000, 'it ends');
  assert.deepEqual(node.end, { code: 0, signal: null });
  for (const socket of sockets) assert.notEqual(socket.reasons[0], 'io server disconnect');
});

scenario('sessions end one after the other over the window', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '1500ms']));
  const sockets = Array.from({ length: 30 }, (_, i) => client(world, node, kinds[i % 2], { reconnection: false }));
  await until(() => sockets.every((socket) => socket.connected), 10_000, 'all connect');
  node.signal('SIGTERM');
  const left = () => sockets.filter((socket) => socket.connected).length;
  await until(() => left() < 25, 5000, 'some have ended');
  assert.ok(left() > 0, 'not all at once');
  await until(() => node.end, 15_000, 'it ends');
  assert.deepEqual(node.end, { code: 0, signal: null });
});

scenario('clients that are long dead are told like all others: the exit code is 0', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '100ms']));
  for (let i = 0; i < 3; i += 1) {
    const dead = await world.connect(node.address);  // a WebSocket that answers no Close frame
    dead.send(['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket',
      'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'));
    await dead.reads('0{"sid"');
  }
  node.signal('SIGTERM');
  await until(() => node.end, 15_000, 'it ends');
  assert.deepEqual(node.end, { code: 0, signal: null });
  assert.doesNotMatch(node.stderr, /has been cut/);
});

scenario('who is in the middle of a request is cut off, and the exit code says so', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '100ms'], { expect: { code: 1, signal: null } }));
  const { body } = await request(node.address, '/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(body.slice(1));
  const slow = await world.connect(node.address);
  slow.send(
    `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`,
  );
  await slow.reads('100 Continue');
  slow.send('4');
  node.signal('SIGTERM');
  await until(() => node.end, 15_000, 'it ends');
  assert.match(node.stderr, /the drain window is over: what was left has been cut/);
});

scenario('clients that stopped polling are nobody to cut off', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '100ms']));
  await request(node.address, '/socket.io/?EIO=4&transport=polling');
  node.signal('SIGTERM');
  await until(() => node.end, 15_000, 'it ends');
  assert.deepEqual(node.end, { code: 0, signal: null });
});

scenario('a second signal ends it at once', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '1h'], { expect: { code: 1, signal: null } }));
  const socket = client(world, node, ['websocket'], { reconnection: false });
  await until(() => socket.connected, 5000, 'the client connects');
  node.signal('SIGTERM');
  await node.says(/shutting down/, 5000, 'stderr');
  node.signal('SIGINT');
  await until(() => node.end, 5000, 'it ends');
  assert.match(node.stderr, /second signal/);
});

scenario('SIGHUP is answered with a line', async (world) => {
  const node = world.own(await LimpetNode.start());
  node.signal('SIGHUP');
  await node.says(/SIGHUP: reload is not supported yet/, 5000, 'stderr');
  assert.equal((await node.health()).body, 'ok');
});

scenario('with nobody there it ends at once', async (world) => {
  const node = world.own(await LimpetNode.start(['--drain-window', '1h']));
  node.signal('SIGTERM');
  await until(() => node.end, 5000, 'it ends');
  assert.deepEqual(node.end, { code: 0, signal: null });
});
