// fast_open, where servers need not know of it: what is answered, and what is tried again, is as without it.
import assert from 'node:assert/strict';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { answering } from './requests.mjs';

scenario('fast_open: requests with and without bodies, again and again, are answered', async (world) => {
  const origin = await world.origin({ script: answering() });
  const limpet = await world.limpet(
    `[pool.web]\nservers = ["a=${origin.address}"]\nfast_open = true\n[pool.web.timeouts]\nkeep_alive = "0s"`,
  );
  for (let i = 0; i < 10; i += 1) {
    assert.equal((await request(limpet.address, '/')).body, 'ok');
    assert.equal((await request(limpet.address, '/', { method: 'POST', body: 'x'.repeat(100) })).body, 'ok');
  }
});

scenario('fast_open: a server that refuses connects is passed over', async (world) => {
  const origin = await world.origin({ script: answering() });
  const closed = await world.origin({ script: answering() });
  const address = closed.address;
  await closed.close();
  const limpet = await world.limpet(
    `[pool.web]\nservers = ["a=${origin.address}", "b=${address}"]\nbalance = "round_robin"\nfast_open = true\n`
      + `[pool.web.health]\ntype = "off"`,
  );
  for (let i = 0; i < 4; i += 1) assert.equal((await request(limpet.address, '/')).body, 'ok');
  assert.ok(await limpet.metric('limpet_retries_total', { reason: 'connect' }) > 0);
});
