// `limpet up`: from nothing to a cluster, and its orderly end.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import WebSocket from 'ws';
import { Child } from '../lib/child.mjs';
import { until, within } from '../lib/deadline.mjs';
import { Address, binary, request } from '../lib/limpet.mjs';
import { Supervisor } from '../lib/supervisor.mjs';
import { scenario } from '../lib/world.mjs';
import { Client, Crowd } from '../socketio/client.mjs';
import { Bundle, freePort } from './bundle.mjs';

const quick = '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n';

scenario('two tabs on two nodes chat, with no configuration at all', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world);
  const tabs = await Crowd.join(world, bundle, 8, { transports: ['websocket'] });
  const nodes = await tabs.who();
  const [one, other] = [0, nodes.findIndex((node) => node !== nodes[0])].map((index) => tabs.clients[index]);
  assert.ok(other, `${nodes}`);
  await tabs.each((tab) => tab.call('join', 'chat'));
  one.socket.emit('broadcast', 'chat', 'hello');
  other.socket.emit('broadcast', 'chat', 'hello yourself');
  await until(() => tabs.clients.every(({ messages }) => messages.length === 2), 5000, 'both messages are everywhere');
  tabs.assertUndisturbed();
});

scenario('polling clients stay with their nodes', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const crowd = await Crowd.join(world, bundle, 6, { transports: ['polling'] });
  const before = await crowd.who();
  for (let i = 0; i < 3; i += 1) assert.deepEqual(await crowd.who(), before);
  crowd.assertUndisturbed();
});

scenario('everything of it is private, and gone at the end', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const { folder } = bundle;
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) {
    const info = statSync(path.join(folder, name));
    if (info.isFile()) assert.equal(info.mode & 0o077, 0, name);
  }
  assert.ok(bundle.left().length >= 8, 'a guard and a program each');
  assert.deepEqual(await bundle.stop('SIGTERM'), { code: 0, signal: null });
  assert.deepEqual(bundle.left(), []);
  assert.deepEqual(readdirSync(bundle.runtime), []);
});

scenario('SIGTERM: sessions are closed with 1012, the proxy is gone before Redis, exit code 0', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const sockets = await Promise.all(Array.from({ length: 6 }, () => plainSession(bundle.address)));
  bundle.signal('SIGTERM');
  const codes = await within(Promise.all(sockets.map(({ closed }) => closed)), 10_000, 'all are closed');
  assert.deepEqual(new Set(codes), new Set([1012]));
  assert.deepEqual(await within(bundle.ended, 10_000, 'it ends'), { code: 0, signal: null });
  const ends = [...bundle.stdout.matchAll(/ (\w+): ended, exit code 0$/gm)].map(([, id]) => id);
  assert.deepEqual([...ends].sort(), ['n1', 'n2', 'proxy', 'redis']);
  assert.equal(ends.at(-1), 'redis');
});

// A Socket.IO session over a WebSocket of its own: the close code is what an official client does not show.
async function plainSession(address) {
  const socket = new WebSocket(`ws://${address.text}/socket.io/?EIO=4&transport=websocket`);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => {
    socket.on('error', reject).on('message', (data) => {
      if (data.toString().startsWith('0')) socket.send('40');
      if (data.toString().startsWith('40')) resolve();
    });
  });
  return { socket, closed };
}

scenario('what a child says stands before what is said of it', async (world) => {
  const bundle = await Bundle.start(world, quick);
  await bundle.stop();
  const lines = bundle.stdout.trimEnd().split('\n');
  const first = (pattern) => lines.findIndex((line) => pattern.test(line));
  const last = (pattern) => lines.findLastIndex((line) => pattern.test(line));
  for (const id of ['redis', 'n1', 'n2', 'proxy']) {
    assert.ok(first(new RegExp(`^${id} \\| `)) < first(new RegExp(` ${id}: ready, `)), `${id} is ready\n${bundle.stdout}`);
    assert.ok(last(new RegExp(`^${id} \\| `)) < first(new RegExp(` ${id}: ended, `)), `${id} has ended\n${bundle.stdout}`);
  }
  assert.match(lines.at(-1), / info exit$/);
});

scenario('standard output that is full: standard error says that lines are dropped, and how many', async (world) => {
  const env = { ...process.env, RUNTIME_DIRECTORY: await world.directory() };
  const bundle = world.own(new Child('limpet up', 'sh', ['-c', `exec ${binary} up > /dev/full`], { env }));
  bundle.close = () => bundle.end ?? bundle.stop('SIGTERM', 40_000);
  await bundle.says(/^limpet: log: standard output: No space left on device; lines are dropped$/m, 10_000, 'stderr');
  assert.deepEqual(await bundle.stop('SIGTERM', 40_000), { code: 0, signal: null });
  assert.match(bundle.stderr, /^limpet: log: \d+ lines were dropped in all$/m);
});

scenario('a node that does not end in time is killed, all within 30 s, and the exit code says so', { seconds: 60 }, async (world) => {
  const stubborn = `require('http').createServer((q, a) => a.end('ok')).listen(process.env.PORT, '127.0.0.1');
    process.on('SIGTERM', () => {})`.replaceAll('\n', ' ');
  const toml = `[proxy]\nshutdown_delay = "8s"\n[bundle]\nnodes = 1\ncommand = ["node", "-e", ${JSON.stringify(stubborn)}]\n`;
  const bundle = await Bundle.start(world, toml, { expect: { code: 1, signal: null } });
  bundle.signal('SIGTERM');
  assert.deepEqual(await within(bundle.ended, 30_000, 'it ends'), { code: 1, signal: null });
  assert.match(bundle.stdout, /n1: did not end in time: it is killed$/m);
});

scenario('a second signal ends everything at once', async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n', { expect: { code: 1, signal: null } });
  await Crowd.join(world, bundle, 4, { transports: ['websocket'], reconnection: false });
  bundle.signal('SIGTERM');
  await bundle.says(/shutting down: the proxy takes no more/, 5000);
  bundle.signal('SIGTERM');
  assert.deepEqual(await within(bundle.ended, 5000, 'it ends'), { code: 1, signal: null });
});

scenario('systemd hears of readiness once, from the bundle alone', async (world) => {
  const address = path.join(await world.directory(), 'notify');
  const supervisor = world.own(await Supervisor.start(address));
  const bundle = await Bundle.start(world, quick, { env: { NOTIFY_SOCKET: address } });
  await supervisor.hears('READY=1');
  await bundle.stop();
  await supervisor.hears('STOPPING=1');
  assert.deepEqual(supervisor.heard, ['READY=1', 'STOPPING=1']);
});

scenario('a port that is taken: the next one, and it is said', async (world) => {
  const taken = net.createServer();
  const first = await new Promise((resolve) => {
    taken.once('error', () => resolve(false)).listen(8080, '127.0.0.1', () => resolve(true));
  });
  if (first) world.own({ close: () => taken.close() });
  const bundle = await Bundle.start(world);
  assert.notEqual(bundle.address.port, 8080);
  assert.match(bundle.stdout, /127\.0\.0\.1:8080: .*; the proxy takes 127\.0\.0\.1:\d+$/m);
  assert.equal((await request(bundle.address, '/health')).status, 200);
});

scenario('three that are started at once take three ports, and all of them serve', { seconds: 60 }, async (world) => {
  const bundles = await Promise.all([1, 2, 3].map(() => Bundle.start(world)));
  assert.equal(new Set(bundles.map(({ address }) => address.port)).size, 3);
  for (const { address } of bundles) assert.equal((await request(address, '/health')).status, 200);
  for (const bundle of bundles) assert.doesNotMatch(bundle.stdout, /proxy: ended/);
});

const fails = { wait: false, expect: { code: 1, signal: null } };

scenario('a listener that is taken is an error of the start, and nothing is started', async (world) => {
  const taken = net.createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  world.own({ close: () => taken.close() });
  const { port } = taken.address();
  const bundle = await Bundle.start(world, `[[listener]]\naddress = "127.0.0.1:${port}"\n${quick}`, fails);
  await within(bundle.ended, 5000, 'it ends');
  assert.match(bundle.stdout, new RegExp(`error cannot listen on 127\\.0\\.0\\.1:${port}: bind: Address already in use`));
  assert.doesNotMatch(bundle.stdout, /redis/);
  assert.deepEqual(readdirSync(bundle.runtime), []);
});

scenario('a Unix socket to listen on is tried, and is the proxy\'s in the end', async (world) => {
  const file = path.join(await world.directory(), 'http.sock');
  const bundle = await Bundle.start(world, `[[listener]]\naddress = "unix:${file}"\n${quick}`);
  assert.equal((await request(new Address(`unix:${file}`), '/health')).status, 200);
  const other = await Bundle.start(world, `[[listener]]\naddress = "unix:${file}"\n${quick}`, fails);
  await within(other.ended, 5000, 'the other ends');
  assert.match(other.stdout, /error cannot listen on unix:.*http\.sock: bind: Address already in use/);
  assert.equal((await request(new Address(`unix:${file}`), '/health')).status, 200);
  await bundle.stop();
  assert.ok(!existsSync(file));
});

scenario('a start that fails leaves no admin socket', async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nports = 65535\n', fails);
  await within(bundle.ended, 5000, 'it ends');
  assert.match(bundle.stdout, /there is no free port for every node/);
  assert.ok(!existsSync(path.join(bundle.dir, 'admin.sock')));
  assert.deepEqual(readdirSync(bundle.runtime), []);
});

scenario('its limit of descriptors is the hard one', async (world) => {
  const bundle = await Bundle.start(world, quick, { shell: 'ulimit -Sn 40' });
  const [, soft, hard] = readFileSync(`/proc/${bundle.pid}/limits`, 'utf8').match(/^Max open files +(\d+) +(\d+)/m);
  assert.equal(soft, hard);
});

scenario('what a killed bundle left is removed by the next one, and nothing else', async (world) => {
  const dead = await Bundle.start(world, quick, { expect: { code: null, signal: 'SIGKILL' } });
  const { folder } = dead;
  await dead.kill();
  await until(() => !dead.left().length, 5000, 'its children are gone');
  const living = await Bundle.start(world, quick, { env: { RUNTIME_DIRECTORY: dead.runtime } });
  const odd = path.join(dead.runtime, 'limpet-up.oddone');  // not as we make them
  mkdirSync(odd, { mode: 0o755 });
  writeFileSync(path.join(odd, 'limpet.toml'), '');
  utimesSync(odd, 0, 0);
  await Bundle.start(world, quick, { env: { RUNTIME_DIRECTORY: dead.runtime } });
  const there = readdirSync(dead.runtime);
  assert.ok(!there.includes(path.basename(folder)));
  assert.ok(there.includes(path.basename(living.folder)));
  assert.ok(there.includes('limpet-up.oddone'));
});

scenario('an address for everybody without a key: what visitors can do is said', async (world) => {
  const address = `0.0.0.0:${await freePort()}`;
  const bundle = await Bundle.start(world, `[[listener]]\naddress = "${address}"\n${quick}`);
  assert.ok(bundle.stdout.includes(`warning ${address} is reachable from elsewhere and [node] has no jwt_key`), bundle.stdout);
});

scenario('a file for it is not one for limpet run', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const child = new Child('limpet run', binary, ['run', '-c', path.join(bundle.dir, 'limpet.toml')]);
  assert.equal((await child.ended).code, 1);
  assert.match(child.stderr, /there is a table \[bundle\]: this file is for `limpet up`/);
});

scenario('without a redis-server it says what to do', async (world) => {
  const bundle = await Bundle.start(world, quick, { env: { PATH: '/nonexistent' }, wait: false, expect: { code: 1, signal: null } });
  await within(bundle.ended, 5000, 'it ends');
  assert.match(bundle.stdout, /there is no redis-server: install it \(apt-get install redis-server\)/);
});

scenario('clients are known in Redis across nodes', async (world) => {
  const bundle = await Bundle.start(world, quick);
  const ada = world.own(await new Client(bundle, { auth: { userId: 'ada' }, transports: ['websocket'] }).connected());
  const received = new Promise((resolve) => ada.socket.once('mail', resolve));
  const others = await Crowd.join(world, bundle, 4, { transports: ['websocket'] });
  others.clients[0].socket.emit('user', 'ada', 'mail', 7);
  assert.equal(await within(received, 5000, 'the mail arrives'), 7);
});
