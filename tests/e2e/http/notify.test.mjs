// What the proxy tells systemd.
import assert from 'node:assert/strict';
import path from 'node:path';
import { within } from '../lib/deadline.mjs';
import { Supervisor } from '../lib/supervisor.mjs';
import { scenario } from '../lib/world.mjs';

scenario('readiness and shutdown are told', async (world) => {
  const address = path.join(await world.directory(), 'notify');
  const supervisor = world.own(await Supervisor.start(address));
  const toml = '[pool.ws]\nservers = ["ws1=127.0.0.1:9"]\n';
  const proxy = await world.limpet(toml, { env: { NOTIFY_SOCKET: address } });
  await supervisor.hears('READY=1');
  proxy.signal('SIGTERM');
  await supervisor.hears('STOPPING=1');
  await within(proxy.ended, 10_000, 'the proxy ends');
  assert.deepEqual(supervisor.heard, ['READY=1', 'STOPPING=1']);
});
