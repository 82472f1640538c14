// Signals that come while limpet starts: neither lost nor deadly.
import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { within } from '../lib/deadline.mjs';
import { Address, Limpet, binary, request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Fifo } from './fifo.mjs';
import { answering } from './requests.mjs';

// A limpet that reads its configuration, and has not come to its end before finish().
async function starting(world) {
  const origin = await world.origin({ script: answering() });
  const file = await Fifo.create(world);
  const limpet = world.own(new Limpet('limpet', binary, ['run', '-c', file.path]));
  const toml = `[[listener]]\naddress = "127.0.0.1:0"\n[pool.web]\nservers = ["a=${origin.address}"]\n[admin]\n`
    + `address = "unix:${world.dir}/admin.sock"\n[proxy]\ndrain_timeout = "1s"\n`;
  Object.assign(limpet, { toml, expect: { code: 0, signal: null } });
  const fd = await file.reader();
  const finish = () => {
    writeSync(fd, toml);
    closeSync(fd);
  };
  return { limpet, finish };
}

for (const name of ['SIGHUP', 'SIGUSR1']) {
  scenario(`${name} while it reads its configuration: it goes on to serve, and answers later ones`, async (world) => {
    const { limpet, finish } = await starting(world);
    for (let i = 0; i < 5; i += 1) limpet.signal(name);
    finish();
    const [, address] = await limpet.says(/listening on (\S+)$/m, 10_000, 'stderr');
    if (name === 'SIGHUP') await limpet.says(/SIGHUP/, 2000, 'stderr');
    limpet.signal(name);
    assert.equal((await request(new Address(address), '/')).body, 'ok');
  });
}

for (const name of ['SIGTERM', 'SIGINT']) {
  scenario(`${name} while it reads its configuration: it ends in order once it can`, async (world) => {
    const { limpet, finish } = await starting(world);
    limpet.signal(name);
    finish();
    assert.deepEqual(await within(limpet.ended, 5000, 'it ends'), { code: 0, signal: null });
    assert.match(limpet.stderr, /shutting down[^]*exit\n$/);
  });
}
