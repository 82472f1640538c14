// What two hundred official clients must see, whichever way holds them on their nodes; the *.test.mjs files
// beside this one say which way.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { sharing } from '../lib/world.mjs';
import { until } from '../lib/deadline.mjs';
import { cluster } from './cluster.mjs';
import { Crowd, transportsOf } from './client.mjs';

const size = 200;

// `setup` goes to cluster(), `client(i)` gives the i-th client's options.
export function twoHundredClients(title, { setup = {}, client = () => ({}), transports = Object.keys(transportsOf), also = () => {} }) {
  describe(title, () => {
    const shared = sharing((world) => cluster(world, setup));

    for (const name of transports) {
      shared.fact(`${name}: ${size} clients connect and each stays on its node`, { seconds: 60 }, async (things, world) => {
        const crowd = await Crowd.join(world, things.proxy, size, (i) => ({ ...client(i), transports: transportsOf[name] }));
        await staysOnItsNode(crowd, things.nodes);
        await broadcastsReachAllOnce(crowd);
        await binaryAndAcknowledgementsWork(crowd);
        crowd.assertUndisturbed();
        crowd.close();
        await until(async () => (await clientsOf(things.nodes)) === 0, 10_000, 'all sessions end');
      });
    }
    also(shared);
  });
}

const clientsOf = async (nodes) => (await Promise.all(nodes.map((node) => node.clients()))).reduce((a, b) => a + b);

async function staysOnItsNode(crowd, nodes) {
  const first = await crowd.who();
  assert.deepEqual([...new Set(first)].sort(), nodes.map((node) => node.id), 'every node has clients');
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await crowd.who(), first);
  // The node that answers is the one where the Engine.IO session lives: no other knows its sid.
  for (const node of nodes) {
    const known = new Set(await node.sids());
    crowd.clients.forEach((client, i) => assert.equal(known.has(client.sid), first[i] === node.id));
  }
}

async function broadcastsReachAllOnce(crowd) {
  await crowd.each((client) => client.call('join', 'all'));
  const said = Array.from({ length: 12 }, (_, i) => `message ${i}`);
  // Twelve senders, so that every node has some.
  said.forEach((text, i) => crowd.clients[i * 16].socket.emit('broadcast', 'all', text));
  await until(() => crowd.clients.every((client) => client.messages.length >= said.length), 10_000, 'everybody has every message');
  await crowd.who();
  for (const client of crowd.clients) assert.deepEqual(client.messages.sort(), [...said].sort());
}

async function binaryAndAcknowledgementsWork(crowd) {
  const bytes = Buffer.alloc(64 * 1024, (i) => i);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = (i * 31) >> 3;
  const some = crowd.clients.filter((_, i) => i % 10 === 0);
  for (const answer of await Promise.all(some.map((client) => client.call('echo', bytes)))) {
    assert.ok(bytes.equals(answer), '64 KiB come back as they went');
  }
  assert.deepEqual(await crowd.clients[0].call('echo', { deep: [1, bytes.subarray(0, 3)] }), { deep: [1, bytes.subarray(0, 3)] });
}
