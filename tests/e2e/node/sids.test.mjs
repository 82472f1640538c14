// limpet's own nodes behind limpet: the sid alone names its node.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { tagOf } from '../../../examples/node-socketio/sid.js';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Client, Crowd, transportsOf } from '../socketio/client.mjs';
import { loopback } from '../socketio/cluster.mjs';
import { PollingClient } from '../socketio/polling_client.mjs';
import { threeNodes } from './three_nodes.mjs';

describe('three nodes of ours', () => {
  const shared = sharing(threeNodes);

  shared.fact('polling works without cookies and from a new address for each request', async ({ proxy, nodes }) => {
    let address = 0;
    const clients = await Promise.all(Array.from({ length: 30 }, async () => {
      const client = new PollingClient(proxy.address, { source: () => loopback(address += 1) });
      return (await client.open()).connect();
    }));
    const homes = new Set();
    await Promise.all(clients.map(async (client) => {
      const home = await client.who();
      homes.add(home);
      assert.equal(client.sid.slice(12), tagOf(home));
      for (let i = 0; i < 5; i += 1) assert.equal(await client.who(), home);
    }));
    assert.deepEqual([...homes].sort(), nodes.map((node) => node.id));
  });

  for (const [name, transports] of Object.entries(transportsOf)) {
    shared.fact(`official clients: ${name}`, async ({ proxy }, world) => {
      let address = 1000;
      const crowd = await Crowd.join(world, proxy, 12, { transports, source: () => loopback(address += 1) });
      const homes = await crowd.who();
      assert.deepEqual(crowd.clients.map((client) => client.engine.id.slice(12)), homes.map(tagOf));
      for (let i = 0; i < 3; i += 1) assert.deepEqual(await crowd.who(), homes);
      const [first, ...others] = crowd.clients.filter((_, i) => homes[i] === homes[0]);
      await Promise.all(crowd.clients.map((client) => client.call('join', 'room')));
      first.socket.emit('broadcast', 'room', { text: 'to the room', bytes: Buffer.from([1, 2]) });
      await until(() => others.every((client) => client.messages.length === 1), 5000, 'all of the node have it');
      crowd.assertUndisturbed();
    });
  }

  shared.fact('a session of a node that is gone is refused, and its client comes back elsewhere', async (_, world) => {
    const own = await threeNodes(world);
    const client = new Client(own.proxy, { transports: ['polling'], reconnectionDelay: 50 });
    world.own(client);
    await client.settled();
    const home = await client.who();
    await own.node(home).kill();
    await client.connected();
    await assert.doesNotReject(async () => { while (await client.who().catch(() => home) === home); });
  });
});
