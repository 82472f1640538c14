// What a node tells systemd: that it is ready, once it can be reached, and that it stops.
import assert from 'node:assert/strict';
import path from 'node:path';
import { within } from '../lib/deadline.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { Supervisor } from '../lib/supervisor.mjs';
import { scenario } from '../lib/world.mjs';

for (const [kind, name] of [['a path', (dir) => path.join(dir, 'notify')], ['an abstract name', (dir) => `@${dir}`]]) {
  scenario(`readiness and shutdown are told, ${kind}`, async (world) => {
    const address = name(await world.directory());
    const supervisor = world.own(await Supervisor.start(address));
    const node = world.own(await LimpetNode.start([], { env: { NOTIFY_SOCKET: address } }));
    await supervisor.hears('READY=1');
    assert.equal((await node.health()).body, 'ok');
    node.signal('SIGTERM');
    await supervisor.hears('STOPPING=1');
    await within(node.ended, 10_000, 'the node ends');
    assert.deepEqual(supervisor.heard, ['READY=1', 'STOPPING=1']);
  });
}

scenario('a supervisor that is gone keeps nobody from serving', async (world) => {
  const address = path.join(await world.directory(), 'nobody');
  const node = world.own(await LimpetNode.start([], { env: { NOTIFY_SOCKET: address } }));
  assert.equal((await node.health()).body, 'ok');
});
