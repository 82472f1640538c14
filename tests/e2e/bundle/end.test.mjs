// The end of `limpet up` when not all is well.
import assert from 'node:assert/strict';
import path from 'node:path';
import { readdirSync, writeFileSync } from 'node:fs';
import { until, within } from '../lib/deadline.mjs';
import { Address, request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const quick = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';
const clean = { code: 0, signal: null };

const neverReady = `[bundle]\nnodes = 2\ncommand = ${JSON.stringify(['sh', '-c', 'echo up; sleep 1000'])}\n`;

for (const [when, line, toml] of [
  ['its first line', /runtime directory/, quick],
  ['Redis is ready', /redis: ready/, quick],
  ['nodes that are never ready were started', /^n2 \| up$/m, neverReady],
]) {
  scenario(`SIGTERM while it starts, after ${when}: a clean end, and nothing is left`, async (world) => {
    const bundle = await Bundle.start(world, toml, { wait: false });
    await bundle.says(line, 10_000);
    bundle.signal('SIGTERM');
    assert.deepEqual(await within(bundle.ended, 10_000, 'it ends'), clean);
    assert.deepEqual(bundle.left(), []);
    assert.deepEqual(readdirSync(bundle.runtime), []);
  });
}

scenario('SIGTERM while Redis hangs: sessions end nevertheless, all within 30 s', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, quick);
  const crowd = await Crowd.join(world, bundle, 4, { transports: ['websocket'], reconnection: false });
  process.kill(bundle.pidOf('redis'), 'SIGSTOP');
  bundle.signal('SIGTERM');
  await until(() => crowd.clients.every((client) => client.disconnects.length), 10_000, 'all are told');
  assert.deepEqual(await within(bundle.ended, 30_000, 'it ends'), clean);
  assert.doesNotMatch(bundle.stdout, /n\d: did not end in time/);
});

for (const [what, shell] of [['full', 'exec > /dev/full'], ['closed', 'exec >&-']]) {
  scenario(`an output that is ${what} holds up nobody, and the end is clean`, { seconds: 60 }, async (world) => {
    const script = path.join(await world.directory(), 'flood.cjs');
    writeFileSync(script, `
      require('http').createServer((q, a) => {
        for (let i = 0; i < 20000; i += 1) console.log('line ' + i + ' ' + 'y'.repeat(200));
        a.end('done');
      }).listen(process.env.PORT, '127.0.0.1');`);
    const toml = `[bundle]\nnodes = 2\ncommand = ["node", ${JSON.stringify(script)}]\n[pool.nodes.health]\ntype = "tcp"\n`;
    const bundle = await Bundle.start(world, toml, { wait: false, shell });
    const children = await until(async () => {
      const all = (await bundle.overview()).children;
      return all.every(({ state }) => state === 'ready') && all;
    }, 20_000, 'all are ready');
    const { address } = children.find(({ kind }) => kind === 'proxy');
    for (let i = 0; i < 4; i += 1) assert.equal((await request(new Address(address), '/')).body, 'done');
    bundle.signal('SIGTERM');
    assert.deepEqual(await within(bundle.ended, 10_000, 'it ends'), clean);
  });
}
