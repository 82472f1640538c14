// More and fewer nodes while clients are connected.
import assert from 'node:assert/strict';
import path from 'node:path';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const two = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';
const eager = { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 };
const nodesOf = async (bundle) => (await bundle.overview()).children.filter(({ kind }) => kind === 'node').map(({ id }) => id);
const stayingIn = async (bundle) => (await bundle.servers()).filter(({ wanted }) => wanted !== 'leaving').map(({ id }) => id);

scenario('2, then 4, then 3 nodes: no request fails, and whoever has to move is back', { seconds: 120 }, async (world) => {
  const bundle = await Bundle.start(world, two);
  const crowd = await Crowd.join(world, bundle, 8, eager);
  const end = bundle.traffic();
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
  const statuses = await end();
  assert.deepEqual(statuses, [200]);
  crowd.assertUndisturbed();
});

scenario('new nodes that do not start: given up, and as before', { seconds: 60 }, async (world) => {
  const shell = '[ $SERVER_ID = n2 ] && exit 3; exec node -e "require(\'http\').createServer((q, a) => a.end()).listen(process.env.PORT, \'127.0.0.1\')"';
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  const { code, stderr } = await bundle.command('scale', '2');
  assert.equal(code, 1);
  assert.match(stderr, /scale: given up: n2 does not start/);
  assert.deepEqual(await nodesOf(bundle), ['n1']);
});

scenario('a new node that does not stay up is named, and those that came with it are drained first', { seconds: 60 }, async (world) => {
  // n3 ends once it has answered; nobody ends at once when asked to, so that the order can be seen.
  const server = `require('http').createServer((q, a) => a.end('ok', () => process.env.SERVER_ID === 'n3' && process.exit(3)))
    .listen(process.env.PORT, '127.0.0.1'); process.on('SIGTERM', () => setTimeout(process.exit, 1500));`.replaceAll('\n', ' ');
  const bundle = await Bundle.start(world,
    `[bundle]\nnodes = 1\ncommand = ["node", "-e", ${JSON.stringify(server)}]\n[pool.nodes.health]\nrise = 3\n`);
  const given = bundle.command('scale', '3');
  const ends = ({ id, state }) => id === 'n2' && state === 'stopping';
  await until(async () => (await bundle.overview()).children.some(ends), 20_000, 'n2 ends');
  assert.equal((await bundle.servers()).find(({ id }) => id === 'n2').wanted, 'draining');
  const { code, stderr } = await given;
  assert.equal(code, 1);
  assert.match(stderr, /scale: given up: n3 does not stay up$/m);
  assert.deepEqual(await nodesOf(bundle), ['n1']);
  assert.deepEqual(await stayingIn(bundle), ['n1']);
});

scenario('fewer nodes, and a proxy that keeps them: not done, and what is not so', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world, two);
  const { folder } = bundle;
  // The bundle holds its directory open and writes the pool there; the proxy goes by the path and reads the old one.
  const aside = `${folder}.aside`;
  const exchange = (names) => {
    renameSync(folder, `${folder}.other`);
    renameSync(aside, folder);
    renameSync(`${folder}.other`, aside);
    for (const name of names) renameSync(path.join(aside, name), path.join(folder, name));
  };
  mkdirSync(aside, { mode: 0o700 });
  exchange(readdirSync(folder));
  const { code, stdout, stderr } = await bundle.command('scale', '1');
  assert.equal(code, 1, stdout + stderr);
  assert.match(stderr, /scale: given up: the proxy still lists n2$/m);
  assert.deepEqual(await nodesOf(bundle), ['n1']);
  exchange(readdirSync(folder).filter((name) => name !== 'limpet.toml'));
  const again = await bundle.command('scale', '1');
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await stayingIn(bundle), ['n1']);
});

scenario('fewer nodes, and a proxy that says nothing: nothing is ended', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world, two);
  process.kill(bundle.pidOf('proxy'), 'SIGSTOP');
  const { code, stderr } = await bundle.command('scale', '1');
  assert.equal(code, 1);
  assert.match(stderr, /scale: given up: the proxy does not answer$/m);
  await until(() => bundle.times('proxy') === 2, 20_000, 'another proxy is there');
  assert.deepEqual((await bundle.servers()).map(({ id, wanted }) => `${id} ${wanted}`), ['n1 serving', 'n2 serving']);
  assert.equal(bundle.times('n2'), 1);
});

scenario('fewer nodes, and those that would stay are in a crash loop or drained: refused', { seconds: 90 }, async (world) => {
  const dir = await world.directory();
  const server = 'require(\'http\').createServer((q, a) => a.end(process.env.SERVER_ID)).listen(process.env.PORT, \'127.0.0.1\')';
  const shell = `[ $SERVER_ID = n1 -a -e ${dir}/broken ] && exit 3; exec node -e "${server}"`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 3\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  writeFileSync(`${dir}/broken`, '');
  process.kill(bundle.pidOf('n1'), 'SIGKILL');
  await until(async () => (await bundle.overview()).children.find(({ id }) => id === 'n1').state === 'held', 30_000, 'it is held back');
  const refused = async (why) => {
    const { code, stderr } = await bundle.command('scale', why.startsWith('n1 is not up:') ? '1' : '2');
    assert.deepEqual([code, stderr], [1, `limpet: scale: given up: ${why}\n`]);
    assert.deepEqual(await nodesOf(bundle), ['n1', 'n2', 'n3']);
  };
  await refused('n1 is not up: nobody who stays would serve');
  assert.deepEqual((await bundle.servers()).map(({ id, wanted }) => `${id} ${wanted}`), ['n1 serving', 'n2 serving', 'n3 serving']);
  assert.equal((await request(bundle.address, '/')).status, 200);
  await bundle.command('drain', 'n2');
  await refused('n1 is not up, n2 is drained: nobody who stays would serve');
  await bundle.command('ready', 'n2');
  const { code, stderr } = await bundle.command('scale', '2');
  assert.equal(code, 0, stderr);
  assert.equal((await request(bundle.address, '/')).body, 'n2');
});
