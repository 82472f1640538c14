// A node of ours that is told to go: its clients are elsewhere soon, none sees a Socket.IO disconnect.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd, transportsOf } from '../socketio/client.mjs';
import { threeNodes } from './three_nodes.mjs';

for (const [name, transports] of Object.entries(transportsOf)) {
  scenario(`SIGTERM of one of three: ${name}`, { seconds: 60 }, async (world) => {
    const { proxy, node } = await threeNodes(world);
    const crowd = await Crowd.join(world, proxy, 15, { transports, reconnectionDelay: 50, reconnectionDelayMax: 200 });
    const homes = await crowd.who();
    const gone = node(homes[0]);
    gone.signal('SIGTERM');
    assert.deepEqual(await gone.ended, { code: 0, signal: null });
    const moved = crowd.clients.filter((_, i) => homes[i] === gone.id);
    await until(() => crowd.clients.every((client) => client.socket.connected), 10_000, 'all are connected again');
    for (const client of moved) {
      assert.notEqual(await client.who(), gone.id);
      assert.equal(client.disconnects.length, 1);
      assert.equal(client.disconnects[0], 'transport close');
    }
    const others = crowd.clients.filter((client) => !moved.includes(client));
    assert.ok(others.length > 0);
    for (const client of others) assert.ok(client.undisturbed);
  });
}
