// More and fewer nodes while clients are connected.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const two = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';
const eager = { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 };
const nodesOf = async (bundle) => (await bundle.overview()).children.filter(({ kind }) => kind === 'node').map(({ id }) => id);

scenario('2, then 4, then 3 nodes: no request fails, and whoever has to move is back', { seconds: 120 }, async (world) => {
  const bundle = await Bundle.start(world, two);
  const crowd = await Crowd.join(world, bundle, 8, eager);
  const statuses = [];
  let going = true;
  const traffic = (async () => {
    while (going) statuses.push((await request(bundle.address, '/health')).status);
  })();
  const more = await bundle.command('scale', '4');
  assert.equal(more.code, 0, more.stdout + more.stderr);
  assert.deepEqual(await nodesOf(bundle), ['n1', 'n2', 'n3', 'n4']);
  const newcomers = await Crowd.join(world, bundle, 8, eager);
  assert.ok((await newcomers.who()).some((id) => id === 'n3' || id === 'n4'));
  const fewer = await bundle.command('scale', '3');
  assert.equal(fewer.code, 0, fewer.stdout + fewer.stderr);
  assert.deepEqual(await nodesOf(bundle), ['n1', 'n2', 'n3']);
  await until(() => newcomers.clients.every(({ socket }) => socket.connected), 10_000, 'everybody is connected');
  assert.ok(!(await newcomers.who()).includes('n4'));
  going = false;
  await traffic;
  assert.deepEqual([...new Set(statuses)], [200]);
  crowd.assertUndisturbed();
});

scenario('new nodes that do not start: given up, and as before', { seconds: 60 }, async (world) => {
  const shell = '[ $SERVER_ID = n2 ] && exit 3; exec node -e "require(\'http\').createServer((q, a) => a.end()).listen(process.env.PORT)"';
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  const { code, stderr } = await bundle.command('scale', '2');
  assert.equal(code, 1);
  assert.match(stderr, /scale: given up: n2 does not start/);
  assert.deepEqual(await nodesOf(bundle), ['n1']);
});
