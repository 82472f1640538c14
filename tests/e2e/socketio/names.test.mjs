// Official clients over nodes that DNS names, one of which it stops naming.
import assert from 'node:assert/strict';
import { tagOf } from '../../../examples/node-socketio/sid.js';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';
import { Client, transportsOf } from './client.mjs';

const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

// Nodes on one port of several addresses, with the ids that their servers will have.
async function nodesOn(world) {
  const nodes = [];
  for (const host of hosts) {
    const node = world.own(await LimpetNode.start(['--listen', `${host}:${nodes[0]?.address.port ?? 0}`]));
    nodes.push(Object.assign(node, { host, id: node.address.text }));
  }
  return nodes;
}

scenario('a node that DNS stops naming keeps its clients, of all transports, and gets no others', { seconds: 60 }, async (world) => {
  const nodes = await nodesOn(world);
  const dns = await world.dns({ 'ws.test': hosts });
  const proxy = await world.limpet(`[proxy]\ndrain_timeout = "60s"\nresolvers = ["${dns.address}"]\n[pool.ws]\n`
    + `servers = ["dns:ws.test:${nodes[0].address.port}"]\naffinity = ["sid"]\nbalance = "round_robin"\ncookie = { mode = "off" }\n`
    + `health = { interval = "200ms", fast_interval = "100ms", timeout = "${1000 * slowness}ms", slow_start = "0s" }`);
  const clients = [];
  const everybody = [];
  const connect = async (transports) => {
    const client = new Client(proxy, { transports });
    world.own({ close: () => client.socket.close() });
    await until(() => client.socket.connected, 5000, 'it is connected');
    client.node = await client.socket.emitWithAck('who');
    everybody.push(client);
    return client;
  };
  const echo = async (client) => assert.deepEqual(await client.socket.timeout(5000).emitWithAck('echo', client.node), client.node);
  for (const transports of Object.values(transportsOf)) {
    for (let i = 0; i < 6; i += 1) clients.push(await connect(transports));
  }
  const [gone, ...rest] = nodes;
  const there = clients.filter(({ node }) => node === gone.id);
  assert.ok(there.length >= 3, 'some are on it');
  await dns.says({ 'ws.test': rest.map(({ host }) => host) });
  await until(async () => (await proxy.server('ws', gone.id)).wanted === 'leaving', 8000, 'it leaves');
  for (let round = 0; round < 3; round += 1) await Promise.all(clients.map(echo));
  for (let i = 0; i < 6; i += 1) assert.notEqual((await connect(['websocket'])).node, gone.id);
  assert.deepEqual(clients.flatMap(({ disconnects }) => disconnects), []);
  // It comes back, and with it new clients.
  await dns.says({ 'ws.test': hosts });
  await until(async () => (await proxy.server('ws', gone.id)).wanted === 'serving', 8000, 'it is back');
  await until(async () => (await connect(['polling'])).node === gone.id, 5000, 'it gets clients');
  await Promise.all(clients.map(echo));
  // DNS itself may go: nobody notices.
  await dns.kill();
  await holds(() => clients.every(({ socket }) => socket.connected), 2000, 'all stay');
  await Promise.all(clients.map(echo));
  assert.equal(clients[0].socket.io.engine.id.slice(12), tagOf(clients[0].node));
  for (const { socket } of everybody) socket.close();
  const busy = async () => (await proxy.status()).pools[0].servers.some(({ requests, tunnels }) => requests + tunnels);
  await until(async () => !(await busy()), 5000, 'all have gone');
});
