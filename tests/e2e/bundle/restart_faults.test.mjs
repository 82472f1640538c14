// A rolling restart of a bundle that is not whole, and one that loses a node meanwhile.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const nodes = (count, window) => `[bundle]\nnodes = ${count}\n[node]\ndrain_window = "${window}"\n`;
const eager = { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 };
const turns = (bundle) => [...bundle.stdout.matchAll(/ (n\d+): rolling restart, \d+ of \d+$/gm)].map(([, id]) => id);
const wanted = async (bundle) => (await bundle.servers()).map((server) => `${server.id} ${server.wanted}`);
const stateOf = async (bundle, id) => (await bundle.servers()).find((server) => server.id === id).state;

scenario('a node that the proxy does not see up has its turn first, and the other waits for it', { seconds: 90 }, async (world) => {
  // For five seconds its process is ready, and the proxy does not take it for up.
  const health = '[pool.nodes.health]\ninterval = "250ms"\nfast_interval = "250ms"\nrise = 20\nfall = 2\n';
  const bundle = await Bundle.start(world, nodes(2, '1s') + health);
  await bundle.hit('n2', 'SIGSTOP');
  assert.ok(['down', 'refusing'].includes(await stateOf(bundle, 'n2')));
  const end = bundle.traffic();
  const { code, stderr } = await bundle.command('restart');
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n2', 'n1']);
});

scenario('a node that an operator has drained has its turn first, and stays drained', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(3, '300ms'));
  assert.equal((await bundle.command('drain', 'n2')).code, 0);
  const crowd = await Crowd.join(world, bundle, 6, eager);
  const end = bundle.traffic();
  const { code, stderr } = await bundle.command('restart');
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n2', 'n1', 'n3']);
  assert.deepEqual(await wanted(bundle), ['n1 serving', 'n2 draining', 'n3 serving']);
  await until(() => crowd.clients.every(({ socket }) => socket.connected), 10_000, 'everybody is back');
  assert.ok(!(await crowd.who()).includes('n2'));
});

scenario('a restart that would leave nobody but drained nodes is refused, and nobody is touched', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(2, '300ms'));
  await bundle.command('drain', 'n2');
  const { code, stderr } = await bundle.command('restart');
  assert.equal(code, 1);
  assert.match(stderr, /restart: given up: nobody would serve while n1 is restarted, as an operator has drained n2$/m);
  assert.deepEqual(turns(bundle), []);
  assert.deepEqual(await wanted(bundle), ['n1 serving', 'n2 draining']);
  assert.equal((await request(bundle.address, '/health')).status, 200);
});

scenario('a node that answers its probe with 500 is not one that serves', { seconds: 90 }, async (world) => {
  const dir = await world.directory();
  // n2, until it is started a second time.
  const server = `const fs = require('fs'), { SERVER_ID: id, PORT } = process.env, sick = id === 'n2' && !fs.existsSync('${dir}/once');
    require('http').createServer((q, a) => { a.statusCode = sick && fs.existsSync('${dir}/sick') ? 500 : 200; a.end(id); })
    .listen(PORT, '127.0.0.1', () => id === 'n2' && fs.writeFileSync('${dir}/once', ''))`.replaceAll('\n', ' ');
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 2\ncommand = ["node", "-e", ${JSON.stringify(server)}]\n`
    + '[pool.nodes.health]\ninterval = "250ms"\nfast_interval = "250ms"\n');
  writeFileSync(`${dir}/sick`, '');
  await until(async () => await stateOf(bundle, 'n2') === 'refusing', 10_000, 'the proxy sees it');
  const end = bundle.traffic();
  const { code, stderr } = await bundle.command('restart');
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n2', 'n1']);
});

scenario('a node that dies in another one\'s turn: the one that was spared serves until it is back', { seconds: 90 }, async (world) => {
  const dir = await world.directory();
  // Whoever is asked to end does so once it may; n3 does not start while it is broken.
  const server = `const may = () => require('fs').existsSync('${dir}/may') && process.exit();
    require('http').createServer((q, a) => a.end()).listen(process.env.PORT, '127.0.0.1');
    process.on('SIGTERM', () => setInterval(may, 50));`.replaceAll('\n', ' ');
  const shell = `[ $SERVER_ID = n3 -a -e ${dir}/broken ] && exit 3; exec node -e "${server}"`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 3\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  const restart = bundle.command('restart');
  await bundle.says(/n1: rolling restart, 1 of 3$/m, 10_000);
  assert.deepEqual(await wanted(bundle), ['n1 draining', 'n2 draining', 'n3 serving']);
  writeFileSync(`${dir}/broken`, '');
  process.kill(bundle.pidOf('n3'), 'SIGKILL');
  await until(async () => (await wanted(bundle))[1] === 'n2 serving', 10_000, 'n2 serves');
  const end = bundle.traffic('/');
  rmSync(`${dir}/broken`);
  await until(async () => (await wanted(bundle))[1] === 'n2 draining', 20_000, 'n3 does');
  assert.equal(await stateOf(bundle, 'n3'), 'up');
  writeFileSync(`${dir}/may`, '');
  const { code, stderr } = await restart;
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n1', 'n2', 'n3']);
  assert.deepEqual(await wanted(bundle), ['n1 serving', 'n2 serving', 'n3 serving']);
});
