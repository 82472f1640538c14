// What an operator does with a running bundle.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle, startsOnce } from './bundle.mjs';

const two = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';
const three = '[bundle]\nnodes = 3\n[node]\ndrain_window = "300ms"\n';
const eager = { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 };

scenario('one admin address answers for the bundle and for its proxy', async (world) => {
  const bundle = await Bundle.start(world, three);
  const { stage, children, operation } = await bundle.overview();
  assert.equal(stage, 'serving');
  assert.equal(operation, null);
  assert.deepEqual(children.map(({ id, kind, state, restarts }) => [id, kind, state, restarts]), [
    ['redis', 'redis', 'ready', 0], ['n1', 'node', 'ready', 0], ['n2', 'node', 'ready', 0], ['n3', 'node', 'ready', 0],
    ['proxy', 'proxy', 'ready', 0],
  ]);
  const { stdout } = await bundle.command('status');
  for (const id of ['n1', 'n2', 'n3']) assert.match(stdout, new RegExp(`^nodes/${id} +up `, 'm'));
  assert.match(stdout, /^redis +ready +\d+s +0 +\d+  PING: \+PONG$/m);
  assert.match((await bundle.command('drain', 'n2')).stdout, /^nodes\/n2: draining/);
  assert.equal((await bundle.command('ready', 'n2')).code, 0);
  assert.match((await bundle.admin('/metrics')).body, /^limpet_/m);
  for (const target of ['/status', '/bundle', '/ready']) {
    const { status, body } = await bundle.admin(target, { method: 'HEAD' });
    assert.deepEqual([status, body], [200, ''], target);
  }
});

scenario('wrong requests are refused', async (world) => {
  const bundle = await Bundle.start(world, three);
  for (const [target, method, status] of [
    ['/bundle', 'POST', 405], ['/bundle/restart', 'GET', 405], ['/bundle/scale/0', 'POST', 400], ['/bundle/scale/1025', 'POST', 400],
    ['/bundle/scale/2x', 'POST', 400], ['/bundle/scale/', 'POST', 400], ['/bundle/nothing', 'POST', 404], ['/nothing', 'GET', 404],
  ]) assert.equal((await bundle.admin(target, { method })).status, status, `${method} ${target}`);
  assert.equal((await bundle.command('scale', '0')).code, 2);
});

scenario('a rolling restart: every node is a new one, every client is back, no request fails', { seconds: 120 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  const ways = [['websocket'], ['polling'], ['polling', 'websocket']];
  const crowd = await Crowd.join(world, bundle, 24, (i) => ({ ...eager, transports: ways[i % 3] }));
  const before = ['n1', 'n2', 'n3'].map((id) => bundle.pidOf(id));
  const end = bundle.traffic();
  const { code, stdout, stderr } = await bundle.command('restart');
  const statuses = await end();
  assert.equal(code, 0, `${stdout}${stderr}${bundle.log()}`);
  assert.match(stdout, /^restart: done$/m);
  assert.deepEqual(statuses, [200]);
  ['n1', 'n2', 'n3'].forEach((id, i) => assert.notEqual(bundle.pidOf(id), before[i]));
  await until(() => crowd.clients.every(({ socket }) => socket.connected), 10_000, 'everybody is back');
  assert.deepEqual(crowd.clients.flatMap(({ refusals }) => refusals), [], 'nobody was refused');
  // Whoever was on n1 was not sent to n2, which was next: at most two moves each.
  assert.ok(crowd.clients.every(({ disconnects }) => disconnects.length <= 2), JSON.stringify(crowd.clients.map((c) => c.disconnects)));
  const { last_operation: last } = await bundle.overview();
  assert.deepEqual([last.name, last.done, last.of, last.error], ['restart', 3, 3, '']);
});

scenario('a rolling restart never takes more than one node away', { seconds: 120 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  await Crowd.join(world, bundle, 12, eager);
  let result;
  bundle.command('restart').then((ended) => { result = ended; });
  const away = new Set();
  while (!result) {
    const [{ children }, servers] = await Promise.all([bundle.overview(), bundle.servers()]);
    const absent = children.filter(({ kind, state }) => kind === 'node' && state !== 'ready').map(({ id }) => id);
    absent.forEach((id) => away.add(id));
    const up = servers.filter(({ state }) => state === 'up');
    const seen = JSON.stringify({ absent, servers: servers.map(({ id, state, wanted }) => [id, state, wanted]) });
    assert.ok(absent.length <= 1, seen);
    assert.ok(up.length >= 2, seen);
    assert.ok(up.some(({ wanted }) => wanted === 'serving'), seen);
    assert.ok(servers.filter(({ wanted }) => wanted !== 'serving').length <= 2, seen);  // it, and the next in line
  }
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual([...away].sort(), ['n1', 'n2', 'n3'], 'it was looked at often enough');
});

scenario('a rolling restart that is given up: the others serve, and the next one heals it', { seconds: 90 }, async (world) => {
  const bundle = await startsOnce(world);
  const { code, stderr } = await bundle.command('restart');
  assert.equal(code, 1);
  assert.match(stderr, /restart: given up: n1 does not start$/m);
  assert.deepEqual((await bundle.servers()).map(({ id, wanted }) => `${id} ${wanted}`), ['n1 draining', 'n2 serving', 'n3 serving']);
  const { children } = await bundle.overview();
  assert.deepEqual(children.filter(({ kind }) => kind === 'node').map(({ state }) => state), ['held', 'ready', 'ready']);
  const answers = await Promise.all(Array.from({ length: 20 }, () => request(bundle.address, '/')));
  assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${body}`))].sort(), ['200 n2', '200 n3']);
  bundle.heal();
  const next = await bundle.command('restart');
  assert.equal(next.code, 0, next.stderr);
  assert.deepEqual((await bundle.servers()).map(({ state, wanted }) => [state, wanted]), Array(3).fill(['up', 'serving']));
  for (const id of ['n1', 'n2', 'n3']) assert.equal(bundle.times(id), 2, id);
});

scenario('one operation at a time', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  assert.equal((await bundle.admin('/bundle/restart', { method: 'POST' })).status, 202);
  const second = await bundle.admin('/bundle/restart', { method: 'POST' });
  assert.equal(second.status, 409);
  assert.match(second.json().error, /restart is under way/);
  await until(async () => !(await bundle.overview()).operation, 40_000, 'it ends');
});

scenario('a shutdown in the middle of a rolling restart', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  await Crowd.join(world, bundle, 6, { ...eager, reconnection: false });
  assert.equal((await bundle.admin('/bundle/restart', { method: 'POST' })).status, 202);
  await bundle.says(/n1: rolling restart, 1 of 3$/m, 5000);
  assert.deepEqual(await bundle.stop('SIGTERM', 30_000), { code: 0, signal: null });
});

scenario('SIGHUP: what needs a restart is refused in one line, and so is what is wrong', async (world) => {
  const bundle = await Bundle.start(world, three);
  const file = path.join(bundle.dir, 'limpet.toml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('300ms', '400ms'));
  bundle.signal('SIGHUP');
  await bundle.says(/SIGHUP: .*limpet\.toml changes node\.drain_window, which needs a restart; nothing changes$/m, 5000);
  writeFileSync(file, text.replace('nodes = 3', 'nodes = "many"'));
  bundle.signal('SIGHUP');
  await bundle.says(/limpet\.toml:\d+:\d+: bundle\.nodes: .*\n.*SIGHUP: .* is wrong; nothing changes$/m, 5000);
  assert.deepEqual((await bundle.overview()).children.map(({ id }) => id), ['redis', 'n1', 'n2', 'n3', 'proxy']);
});

scenario('SIGHUP with a pipe in the file\'s place: it is not read, and the bundle goes on', async (world) => {
  const bundle = await Bundle.start(world, three);
  const file = path.join(bundle.dir, 'limpet.toml');
  rmSync(file);
  execFileSync('mkfifo', [file]);
  bundle.signal('SIGHUP');
  await bundle.says(/SIGHUP: .*limpet\.toml is not a regular file; nothing changes$/m, 5000);
  await bundle.hit('n1', 'SIGKILL');
  assert.equal((await bundle.overview()).stage, 'serving');
});

scenario('SIGHUP tells the warnings of the file, too', async (world) => {
  const bundle = await Bundle.start(world, `${three}responses = "own"\n`);
  const warnings = () => [...bundle.stdout.matchAll(/limpet\.toml:\d+:\d+: node\.responses: /g)].length;
  assert.equal(warnings(), 1);
  bundle.signal('SIGHUP');
  await bundle.says(/^\S+ info SIGHUP: nothing has changed in .*limpet\.toml$/m, 5000);
  assert.equal(warnings(), 2);
});

scenario('SIGHUP changes what has changed in the file: what an operator asked for stays', { seconds: 60 }, async (world) => {
  const routes = '[[route]]\npool = "nodes"\n[[route]]\npath = "/other"\npool = "other"\n'
    + '[pool.other]\nservers = ["a=127.0.0.1:9"]\nhealth = { type = "off" }\n';
  const bundle = await Bundle.start(world, two + routes);
  const file = path.join(bundle.dir, 'limpet.toml');
  const hup = (from, to) => {
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
    bundle.signal('SIGHUP');
  };
  const nodes = async () => (await bundle.overview()).children.filter(({ kind }) => kind === 'node').length;
  const others = async () => (await bundle.admin('/status')).json().pools.find(({ name }) => name === 'other').servers.map(({ id }) => id);
  const last = async () => (await bundle.overview()).last_operation;

  hup('', '');
  await bundle.says(/^\S+ info SIGHUP: nothing has changed in .*limpet\.toml$/m, 5000);
  assert.equal(await last(), null);

  assert.equal((await bundle.command('scale', '3')).code, 0);
  hup('"a=127.0.0.1:9"', '"a=127.0.0.1:9", "b=127.0.0.1:10"');
  await bundle.says(/^\S+ info SIGHUP: pool other: added b$/m, 5000);
  await until(async () => (await others()).join() === 'a,b', 5000, 'the proxy has it');
  assert.deepEqual([await nodes(), (await last()).number], [3, 1]);

  hup(/nodes = 2\n/, 'nodes = 1\n');
  await until(async () => (await last()).number === 2, 20_000, 'another number in the file');
  assert.deepEqual([await nodes(), await others()], [1, ['a', 'b']]);
});

scenario('fewer nodes: the last ones get nobody any more, and their clients are back elsewhere', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  const crowd = await Crowd.join(world, bundle, 9, eager);
  const nodes = await crowd.who();
  const { code, stdout, stderr } = await bundle.command('scale', '2');
  assert.equal(code, 0, stdout + stderr);
  await until(() => crowd.clients.every(({ socket }) => socket.connected), 10_000, 'everybody is connected');
  assert.ok(!(await crowd.who()).includes('n3'));
  crowd.clients.filter((_, i) => nodes[i] !== 'n3').forEach((client) => assert.ok(client.undisturbed));
  assert.deepEqual((await bundle.overview()).children.map(({ id }) => id), ['redis', 'n1', 'n2', 'proxy']);
});

scenario('SIGHUP asks again for what was given up', { seconds: 90 }, async (world) => {
  const broken = path.join(await world.directory(), 'broken');
  writeFileSync(broken, '');
  const server = 'require("http").createServer((q, a) => a.end()).listen(process.env.PORT, "127.0.0.1")';
  const words = ['sh', '-c', `test "$SERVER_ID" = n1 || test ! -e ${broken} || exit 1; exec node -e '${server}'`];
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ${JSON.stringify(words)}\n`);
  const file = path.join(bundle.dir, 'limpet.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('nodes = 1', 'nodes = 2'));
  bundle.signal('SIGHUP');
  await bundle.says(/scale: given up: n2 does not start/m, 40_000);
  const nodes = async () => (await bundle.overview()).children.filter(({ kind }) => kind === 'node').length;
  writeFileSync(file, readFileSync(file, 'utf8').replace('nodes = 2', 'nodes = 1'));
  bundle.signal('SIGHUP');
  await bundle.says(/scale: done$/m, 40_000);
  assert.equal(await nodes(), 1);
  rmSync(broken);
  // What an operator asks for after that is the last word, until there is another number in the file.
  writeFileSync(file, readFileSync(file, 'utf8').replace('nodes = 1', 'nodes = 2'));
  assert.equal((await bundle.command('scale', '3')).code, 0);
  bundle.signal('SIGHUP');
  await until(async () => await nodes() === 2, 40_000, 'the number of the file');
  assert.deepEqual((await bundle.overview()).children.map(({ id, state }) => [id, state]),
    [['redis', 'ready'], ['n1', 'ready'], ['n2', 'ready'], ['proxy', 'ready']]);
});

scenario('--json: what was done, as an object and nothing else', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, two);
  const said = async (expected, ...args) => {
    const { code, stdout, stderr } = await bundle.command(...args, '--json');
    assert.equal(code, expected, stderr);
    return { json: JSON.parse(stdout), stderr };
  };
  assert.deepEqual((await said(0, 'drain', 'n2')).json, { pool: 'nodes', server: 'n2', wanted: 'draining' });
  const refused = await said(1, 'restart');
  assert.match(refused.stderr, /^limpet: restart: given up: nobody would serve while n1 is restarted, .*\n$/);
  assert.equal(`limpet: restart: given up: ${refused.json.last_operation.error}\n`, refused.stderr);
  assert.deepEqual((await said(0, 'ready', 'n2')).json, { pool: 'nodes', server: 'n2', wanted: 'serving' });

  const { json: { operation, last_operation: last, children } } = await said(0, 'restart');
  assert.deepEqual([operation, last], [null, { number: 2, name: 'restart', done: 2, of: 2, error: '' }]);
  assert.deepEqual(children.filter(({ kind }) => kind === 'node').map(({ id, restarts }) => [id, restarts]), [['n1', 1], ['n2', 1]]);
  const scaled = (await said(0, 'scale', '3')).json;
  assert.deepEqual(scaled.last_operation, { number: 3, name: 'scale', done: 1, of: 1, error: '' });
  assert.deepEqual(scaled.children.map(({ id }) => id), ['redis', 'n1', 'n2', 'n3', 'proxy']);
});
