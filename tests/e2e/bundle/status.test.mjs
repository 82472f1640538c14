// `limpet status` of a bundle, also while its proxy says nothing.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Bundle } from './bundle.mjs';

const quick = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';

scenario('--json has the bundle beside what the proxy says', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const { code, stdout, stderr } = await bundle.command('status', '--json');
  assert.equal(code, 0, stderr);
  const { bundle: { stage, children }, pools, ready } = JSON.parse(stdout);
  assert.deepEqual([stage, ready, pools[0].servers.map(({ id }) => id)], ['serving', true, ['n1', 'n2']]);
  assert.deepEqual(children.map(({ id, state }) => `${id} ${state}`), ['redis ready', 'n1 ready', 'n2 ready', 'proxy ready']);
});

scenario('nodes that do not start: the children are shown all the same', async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 1\ncommand = ["false"]\n', { wait: false });
  await bundle.says(/admin on /, 10_000);
  const { code, stdout, stderr } = await bundle.command('status');
  assert.match(stdout, /^redis +\w+ .*\nn1 +\w+ .*\nproxy +stopped /m);
  assert.match(stderr, /the proxy of this bundle does not answer/);
  assert.equal(code, 1);
  const json = await bundle.command('status', '--json');
  assert.equal(json.code, 1);
  assert.deepEqual(JSON.parse(json.stdout).bundle.children.map(({ id }) => id), ['redis', 'n1', 'proxy']);
  assert.match(json.stderr, /the proxy of this bundle does not answer/);
});

scenario('a proxy that is stopped: the children are shown all the same', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, quick);
  process.kill(bundle.pidOf('proxy'), 'SIGSTOP');
  const { code, stdout, stderr } = await bundle.command('status');
  assert.match(stdout, /^n1 +ready .*\nn2 +ready .*\nproxy +\w+ /m);
  assert.match(stderr, /the proxy of this bundle does not answer/);
  assert.equal(code, 1);
  await until(() => bundle.times('proxy') === 2, 20_000, 'another proxy is there');
  assert.equal((await bundle.command('status')).code, 0);
});
