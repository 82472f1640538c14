// What an operation that was given up leaves to be done.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { startsOnce } from './bundle.mjs';

scenario('a node that a rolling restart gave up gets sessions again once it is ready', { seconds: 180 }, async (world) => {
  const bundle = await startsOnce(world);
  assert.equal((await bundle.command('restart')).code, 1);
  assert.equal((await bundle.servers())[0].wanted, 'draining');
  bundle.heal();
  const serves = ({ state, wanted }) => state === 'up' && wanted === 'serving';
  await until(async () => (await bundle.servers()).every(serves), 100_000, 'all serve');
  assert.equal(bundle.times('n1'), 2);
});
