// What `limpet node` is told of Redis, as Redis sees it: each key is given a value that no other has, so that one which
// went into another's place would show. And the kinds of Redis that a URL can name.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { io } from 'socket.io-client';
import { Child } from '../lib/child.mjs';
import { until } from '../lib/deadline.mjs';
import { freePort, host } from '../lib/free_address.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';

const run = promisify(execFile);

const start = async (world, url, ...flags) => world.own(await LimpetNode.start(
  ['--id', 'ws1', '--redis', url, '--admin', '127.0.0.1:0', ...flags]));

async function connect(world, node) {
  const socket = io(node.url, { forceNew: true, transports: ['websocket'], reconnection: false, auth: { userId: 'ada' } });
  world.own({ close: () => socket.disconnect() });
  await until(() => socket.connected, 5000, 'the client connects');
  return socket;
}

const isWell = (node) => until(async () => (await node.health()).body === 'ok', 10_000, 'it has its Redis');

// A Redis, and the commands that it is given, as lists of words.
async function watched(world) {
  const redis = await world.redis();
  const monitor = world.own(new (class extends Child {
    close() { return this.end ?? this.kill(); }
  })('redis-cli monitor', 'redis-cli', ['-s', redis.socket, 'monitor']));
  await monitor.says(/^OK/, 5000);
  redis.commands = (verb) => monitor.stdout.split('\n').slice(1)
    .map((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word))
    .filter((words) => words[0]?.toUpperCase() === verb);
  redis.given = (verb, so, what) => until(() => redis.commands(verb).find(so), 10_000, what);
  return redis;
}

const after = (words, word) => words[words.findIndex((each) => each.toUpperCase() === word) + 1];

scenario('adapter redis_streams: names, lengths and how it reads', async (world) => {
  const redis = await watched(world);
  const node = await start(world, redis.url, '--adapter', 'redis_streams', '--stream', 'odd-stream', '--stream-count', '3',
    '--stream-max-length', '77', '--stream-read-count', '7', '--stream-plaintext', '--session-key-prefix', 'odd-session:',
    '--channel-prefix', 'odd-channel', '--sharded', 'static', '--recovery', '2m');
  const ada = await connect(world, node);
  const got = new Promise((resolve) => { ada.on('message', resolve); });
  await ada.timeout(5000).emitWithAck('join', 'news');
  ada.emit('broadcast', 'news', Buffer.from('odd'));
  assert.deepEqual(await got, Buffer.from('odd'));

  const added = await redis.given('XADD', (words) => words.includes('data') && after(words, 'DATA').includes('message'), 'an entry');
  assert.match(added[1], /^odd-stream-[012]$/);
  assert.equal(added[added.indexOf('MAXLEN') + 2], '77');
  const entries = (await redis.ask('XRANGE', added[1], '-', '+')).map(([, fields]) => fields);
  const entry = entries.find((fields) => fields.at(-1).includes('message'));
  assert.doesNotThrow(() => JSON.parse(entry.at(-1)), `${entry} is plain text`);
  const read = await redis.given('XREAD', () => true, 'it reads');
  assert.equal(after(read, 'COUNT'), '7');
  const streams = new Set(redis.commands('XREAD').flatMap((words) => words.filter((word) => word.startsWith('odd-stream'))));
  assert.deepEqual([...streams].sort(), ['odd-stream-0', 'odd-stream-1', 'odd-stream-2']);
  const channels = await redis.ask('PUBSUB', 'SHARDCHANNELS');
  assert.ok(channels.length && channels.every((channel) => channel.startsWith('odd-channel#/#')), `${channels}`);
  assert.deepEqual(await redis.ask('PUBSUB', 'CHANNELS'), []);

  ada.io.engine.close();
  const saved = await redis.given('SET', (words) => words[1].startsWith('odd-session:'), 'her session is saved');
  assert.equal(after(saved, 'PX'), '120000');
});

for (const [mode, wanted] of [['static', []], ['dynamic', ['news']], ['dynamic_private', ['news', 'her own']]]) {
  scenario(`sharded channels, ${mode}`, async (world) => {
    const redis = await world.redis();
    const node = await start(world, redis.url, '--sharded', mode, '--channel-prefix', 'odd-channel');
    const ada = await connect(world, node);
    await ada.timeout(5000).emitWithAck('join', 'news');
    const rooms = { 'news': 'odd-channel#/#news#', 'her own': `odd-channel#/#${ada.id}#` };
    const channels = () => redis.ask('PUBSUB', 'SHARDCHANNELS');
    for (const room of wanted) await until(async () => (await channels()).includes(rooms[room]), 5000, `${room} has a channel`);
    await until(async () => (await channels()).includes('odd-channel#/#'), 5000, 'all have one');
    const seen = await channels();
    assert.deepEqual(Object.keys(rooms).filter((room) => seen.includes(rooms[room])), wanted);
    assert.ok(seen.every((channel) => channel.startsWith('odd-channel#/#')), `${seen}`);
    assert.deepEqual(await redis.ask('PUBSUB', 'CHANNELS'), []);
  });
}

for (const [responses, wanted] of [['shared', /^odd-channel-response#\/#$/], ['own', /^odd-channel-response#\/#[\w-]+#$/]]) {
  scenario(`adapter redis, answers in a channel that is ${responses}`, async (world) => {
    const redis = await world.redis();
    await start(world, redis.url, '--responses', responses, '--channel-prefix', 'odd-channel');
    const channels = () => redis.ask('PUBSUB', 'CHANNELS');
    await until(async () => (await channels()).some((channel) => wanted.test(channel)), 5000, 'it listens');
    const seen = await channels();
    assert.ok(seen.includes('odd-channel-request#/#') && seen.every((channel) => channel.startsWith('odd-channel-')), `${seen}`);
  });
}

// A CA, and certificates of a server that is called elsewhere.example and of a node.
async function certificates(dir) {
  const openssl = (...words) => run('openssl', words, { cwd: dir });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  for (const [name, extension] of [['server', 'subjectAltName=DNS:elsewhere.example'], ['node', 'extendedKeyUsage=clientAuth']]) {
    await openssl('req', ...key, '-subj', `/CN=${name}`, '-addext', extension, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    await openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
      '-copy_extensions', 'copy', '-out', `${name}.crt`);
  }
  return (name) => path.join(dir, name);
}

scenario('a Redis over TLS, by the name that its certificate has, and with a certificate of the node', async (world) => {
  const file = await certificates(await world.directory());
  const port = await freePort();
  const redis = await world.redis({ flags: ['--bind', host, '--tls-port', `${port}`, '--tls-cert-file', file('server.crt'),
    '--tls-key-file', file('server.key'), '--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'yes'] });
  const flags = ['--redis-ca', file('ca.crt'), '--redis-cert', file('node.crt'), '--redis-key', file('node.key')];
  const node = await start(world, `rediss://${host}:${port}`, ...flags, '--redis-server-name', 'elsewhere.example');
  await isWell(node);
  await connect(world, node);
  await until(async () => await redis.ask('HGET', 'user:connections', 'ada') === 'ws1', 5000, 'ada is there');
  const nameless = await start(world, `rediss://${host}:${port}`, ...flags);
  await nameless.says(/IP address mismatch/, 5000, 'stderr');
  assert.equal((await nameless.health()).body, 'degraded');
});

scenario('the master that a Sentinel names, which has a password of its own', async (world) => {
  const redis = await world.redis({ tcp: true });
  const file = path.join(await world.directory(), 'sentinel.conf');
  await writeFile(file, `requirepass odd-password\nsentinel monitor odd-master ${host} ${redis.port} 1\n`);
  const sentinel = await world.redis({ tcp: true, sentinel: file, name: 'sentinel' });
  const url = `redis+sentinel://${host}:${sentinel.port}/odd-master`;
  const node = await start(world, url, '--redis-sentinel-password', 'odd-password');
  await isWell(node);
  await connect(world, node);
  await until(async () => await redis.ask('HGET', 'user:connections', 'ada') === 'ws1', 5000, 'ada is there');
});

scenario('a Redis Cluster', { seconds: 60 }, async (world) => {
  const servers = [];
  for (let i = 0; i < 3; i += 1) {
    const flags = ['--cluster-enabled', 'yes', '--cluster-announce-ip', host, '--cluster-port', `${await freePort()}`];
    servers.push(await world.redis({ tcp: true, flags }));
  }
  await run('redis-cli', ['--cluster', 'create', ...servers.map(({ port }) => `${host}:${port}`), '--cluster-yes']);
  const node = await start(world, `redis+cluster://${host}:${servers[0].port}`);
  await isWell(node);
  await connect(world, node);
  const keys = async () => (await Promise.all(servers.map((redis) => redis.ask('KEYS', 'user:*')))).flat().sort();
  const wanted = ['user:ada', 'user:ada:sockets', 'user:connections'];
  await until(async () => { assert.deepEqual(await keys(), wanted); return true; }, 10_000, 'ada is there, whichever master has it');
  await node.stop();
  assert.deepEqual(await keys(), []);
});
