// A team's own Node.js servers under the bundle, and what becomes of what they write.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/deadline.mjs';
import { Address, binary, request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle, freePort } from './bundle.mjs';

const server = fileURLToPath(new URL('../../../examples/node-socketio/server.js', import.meta.url));
const nodeJs = `[bundle]
nodes = 2
command = ["node", ${JSON.stringify(server)}]
[bundle.environment]
COOKIE = "off"
ADAPTER = "redis_streams"
SHUTDOWN_DELAY = "0"
`;

scenario('Node.js servers meet in the managed Redis, and one that dies comes back', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world, nodeJs);
  const crowd = await Crowd.join(world, bundle, 8, { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 });
  const nodes = await crowd.who();
  assert.deepEqual([...new Set(nodes)].sort(), ['n1', 'n2']);
  await crowd.each((client) => client.call('join', 'chat'));
  crowd.clients[0].socket.emit('broadcast', 'chat', 'hello');
  await until(() => crowd.clients.every(({ messages }) => messages.length === 1), 5000, 'the message is everywhere');
  await bundle.hit('n1', 'SIGKILL');
  await until(() => crowd.clients.every(({ socket }) => socket.connected), 10_000, 'all are connected');
  crowd.clients.filter((_, i) => nodes[i] === 'n2').forEach((client) => assert.ok(client.undisturbed));
});

scenario('the password of Redis is in the environment of nodes and in private files, and nowhere else', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, nodeJs);
  const environment = readFileSync(`/proc/${bundle.pidOf('n1')}/environ`, 'utf8').split('\0');
  const get = (name) => environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
  const [, password] = get('REDIS_URL').match(/^redis:\/\/:([0-9a-f]{48})@127\.0\.0\.1:\d+$/);
  assert.equal(get('REDIS_SOCKET'), path.join(bundle.folder, 'redis.sock'));
  assert.equal(get('SERVER_ID'), 'n1');
  assert.match(get('PORT'), /^\d+$/);
  assert.equal(get('COOKIE'), 'off');
  assert.ok(!bundle.left().some((command) => command.includes(password)));
  assert.ok(!bundle.stdout.includes(password));
});

scenario('ports that are asked for are the nodes\'', async (world) => {
  const port = await freePort();
  await Bundle.start(world, `[bundle]\nnodes = 1\nports = ${port}\n`);
  assert.equal((await request(new Address(`127.0.0.1:${port}`), '/health')).body.trim(), 'ok');
});

scenario('lines come whole, with their child\'s name, cut where they have no end, and printable', async (world) => {
  const script = path.join(await world.directory(), 'talk.cjs');
  writeFileSync(script, `
    process.stdout.write('half ');
    process.stderr.write('an error\\n');
    setTimeout(() => process.stdout.write('and half\\n\\x1b[2Jcleared\\n' + 'x'.repeat(10000) + '\\nlast, without an end'), 50);
    require('http').createServer((q, a) => a.end()).listen(process.env.PORT, '127.0.0.1');`);
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ["node", ${JSON.stringify(script)}]\n`);
  await bundle.says(/^n1 \| half and half$/m, 5000);
  await bundle.says(/^n1 \| an error$/m, 5000);
  await bundle.says(/^n1 \| \\x1b\[2Jcleared$/m, 5000);
  await bundle.says(/^n1 \| x{4096}\.\.\.$/m, 5000);
  await bundle.stop();
  assert.match(bundle.stdout, /^n1 \| last, without an end$/m);
});

scenario('programs start with the limit of descriptors that the bundle was started with', async (world) => {
  const tell = `require('http').createServer((q, a) => a.end('ok')).listen(process.env.PORT, '127.0.0.1')`;
  const toml = `[bundle]\nnodes = 1\ncommand = ["sh", "-c", "echo may open $(ulimit -Sn), $(ulimit -Hn); exec node -e \\"$PROGRAM\\""]\n`;
  const environment = `environment = { PROGRAM = ${JSON.stringify(tell)} }\n`;
  const bundle = await Bundle.start(world, toml + environment, { shell: 'ulimit -Sn 700; ulimit -Hn 3000' });
  await bundle.says(/^n1 \| may open 700, 3000$/m, 5000);
  assert.match(readFileSync(`/proc/${bundle.pid}/limits`, 'utf8'), /^Max open files +3000 +3000 /m);
  assert.match(readFileSync(`/proc/${bundle.pidOf('proxy')}/limits`, 'utf8'), /^Max open files +3000 +3000 /m);
});

scenario('a reader that takes nothing holds up nobody, and the gap is told', { seconds: 60 }, async (world) => {
  const dir = await world.directory();
  const script = path.join(dir, 'flood.cjs');
  writeFileSync(script, `
    let asked = 0;
    require('http').createServer((q, a) => {
      if (q.url === '/flood') for (let i = 0; i < 20000; i += 1) console.log('line ' + i + ' ' + 'y'.repeat(200));
      asked += 1;
      a.end(String(asked));
    }).listen(process.env.PORT, '127.0.0.1');`);
  const file = path.join(dir, 'limpet.toml');
  const listener = `[[listener]]\naddress = "127.0.0.1:${await freePort()}"\n`;
  writeFileSync(file, `${listener}[bundle]\nnodes = 1\ncommand = ["node", ${JSON.stringify(script)}]\n`);
  const child = spawn(binary, ['up', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, RUNTIME_DIRECTORY: dir } });
  const ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  world.own({ close: () => { child.kill('SIGKILL'); return ended; } });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
  await until(() => text.match(/everything is healthy/), 20_000, 'ready');
  const [, address] = await until(() => text.match(/^proxy \| .* listening on (\S+)$/m), 5000, 'it listens');
  child.stdout.pause();
  for (let i = 0; i < 3; i += 1) assert.equal((await request(new Address(address), '/flood')).status, 200);
  for (let i = 0; i < 20; i += 1) assert.equal((await request(new Address(address), '/')).status, 200);
  child.stdout.resume();
  await until(() => /kind=dropped lines=\d+|\d+ lines were dropped/.test(text), 5000, 'the gap is told');
  assert.doesNotMatch(text, /n1: hangs/);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

scenario('JSON: every line of the stream is an object that says whose it is', async (world) => {
  const script = path.join(await world.directory(), 'talk.cjs');
  writeFileSync(script, `
    console.log(JSON.stringify({ a: 'of the node' }));
    console.log('no "object"');
    require('http').createServer((q, a) => a.end()).listen(process.env.PORT, '127.0.0.1');`);
  const bundle = await Bundle.start(world, `[log]\nformat = "json"\n[bundle]\nnodes = 1\ncommand = ["node", ${JSON.stringify(script)}]\n`);
  await bundle.stop();
  const lines = bundle.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.filter(({ from }) => from === 'n1'), [{ from: 'n1', a: 'of the node' }, { from: 'n1', line: 'no "object"' }]);
  assert.ok(lines.some(({ from, level }) => from === 'proxy' && level === 'info'));
  assert.ok(lines.some(({ from, line }) => from === 'redis' && line.includes('Ready to accept connections')));
});

scenario('a check that is answered with something else is told', { seconds: 60 }, async (world) => {
  const script = 'require("http").createServer((q, a) => a.writeHead(404).end()).listen(process.env.PORT, "127.0.0.1")';
  const toml = `[bundle]\nnodes = 1\ncommand = ["node", "-e", ${JSON.stringify(script)}]\n`;
  const bundle = await Bundle.start(world, toml, { wait: false });
  await bundle.says(/n1: not ready, as its check is answered with something else: GET \/health: 404/m, 15_000);
  await Bundle.start(world, `${toml}[pool.nodes.health]\nexpect = 404\npath = "/other"\n`);
});

scenario('one that is ready and answers its check wrongly is told, and told when that is over', { seconds: 60 }, async (world) => {
  const ill = path.join(await world.directory(), 'ill');
  const script = `require("http").createServer((q, a) => a.writeHead(require("fs").existsSync(${JSON.stringify(ill)}) ? 500 : 200).end())
    .listen(process.env.PORT, "127.0.0.1")`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ["node", "-e", ${JSON.stringify(script)}]\n`);
  writeFileSync(ill, '');
  await bundle.says(/n1: not well, as its check is answered with something else: GET \/health: 500$/m, 15_000);
  rmSync(ill);
  await bundle.says(/n1: well again$/m, 15_000);
  assert.equal((await bundle.overview()).children.find(({ id }) => id === 'n1').restarts, 0);
});
