// A rolling restart of a bundle that is not whole, and one that loses a node or its proxy meanwhile.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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

// Requests, one after another, until end(): the statuses that were seen.
function traffic(bundle) {
  const seen = [];
  let going = true;
  const ended = (async () => {
    while (going) seen.push((await request(bundle.address, '/health')).status);
  })();
  return async () => {
    going = false;
    await ended;
    return [...new Set(seen)];
  };
}

scenario('a node that the proxy does not send anybody to has its turn first, and the others wait for it', { seconds: 90 }, async (world) => {
  // For two seconds and more its process is ready, and the proxy does not take it for up.
  const bundle = await Bundle.start(world, `${nodes(2, '1s')}[pool.nodes.health]\ninterval = "250ms"\nfast_interval = "250ms"\nrise = 10\nfall = 2\n`);
  await bundle.hit('n2', 'SIGSTOP');
  assert.ok(['down', 'refusing'].includes(await stateOf(bundle, 'n2')));
  const end = traffic(bundle);
  const { code, stderr } = await bundle.command('restart');
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n2', 'n1']);
});

scenario('a node that an operator has drained has its turn first, and stays drained', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(3, '300ms'));
  assert.equal((await bundle.command('drain', 'n2')).code, 0);
  const crowd = await Crowd.join(world, bundle, 6, eager);
  const end = traffic(bundle);
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
  const end = traffic(bundle);
  const { code, stderr } = await bundle.command('restart');
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(turns(bundle), ['n2', 'n1']);
});

scenario('a node that dies in another one\'s turn: the one that was spared serves', { seconds: 120 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(3, '8s'));
  await Crowd.join(world, bundle, 12, eager);  // n1 takes its time to end
  const restart = bundle.command('restart');
  await bundle.says(/n1: rolling restart, 1 of 3$/m, 10_000);
  assert.deepEqual(await wanted(bundle), ['n1 draining', 'n2 draining', 'n3 serving']);
  process.kill(bundle.pidOf('n3'), 'SIGSTOP');  // for longer than n1 takes
  await until(async () => (await wanted(bundle))[1] === 'n2 serving', 10_000, 'n2 serves again');
  const end = traffic(bundle);
  const { code, stderr } = await restart;
  assert.deepEqual(await end(), [200]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await wanted(bundle), ['n1 serving', 'n2 serving', 'n3 serving']);
});
