// `limpet node` as a process: its flags, its file, its pages, its limits.
import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { slowness, until } from '../lib/deadline.mjs';
import { Address, request } from '../lib/limpet.mjs';
import { LimpetNode, nodeEnds } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';

const open = (node, more = '') => request(node.address, `/socket.io/?EIO=4&transport=polling${more}`);

describe('flags', () => {
  for (const [flags, said] of [
    [['--listen', 'localhost:3000'], /--listen: "localhost:3000": a host name is not accepted here/],
    [['--listen', '3000'], /--listen: /],
    [['--admin', '0.0.0.0:1'], /--admin: "0.0.0.0:1" can be reached from elsewhere/],
    [['--id', 'a b'], /--id: "a b"/],
    [['--max-connections', '0'], /--max-connections: 0 is out of range; 1 to 10000000 are accepted/],
    [['--ping-interval', '25'], /--ping-interval: "25" is not a duration/],
    [['--adapter', 'redis'], /--adapter: nodes are joined through Redis; say where it is: redis/],
    [['--adapter', 'redis_streams'], /--adapter: nodes are joined/],
    [['--redis', 'http://127.0.0.1'], /--redis: a Redis URL begins with/],
    [['--redis', 'redis://h', '--recovery', '1m'], /--recovery: adapter redis keeps no messages/],
    [['--cors-origins', 'example.org'], /--cors-origins: "example.org" is not an origin/],
    [['--deflate', 'on'], /--deflate: "on" is not accepted; write off, shared or dedicated/],
    [['--namespaces', '/', '--namespaces', '/'], /--namespaces: "\/" is there twice/],
    [['--raw', 'echo', '--raw-path', '/socket.io/'], /--raw-path: "\/socket\.io\/" is where Socket\.IO is/],
    [['--cors-origins', '*', '--cors-credentials'], /--cors-credentials: browsers refuse/],
    [['--nonsense'], /^limpet node: there is no flag --nonsense; see limpet node --help$/m],
    [['--pingintervall=5s'], /^limpet node: there is no flag --pingintervall \(did you mean --ping-interval\?\)/m],
    [['--listen'], /^limpet node: --listen needs a value: ADDRESS; /m],
    [['stray'], /^limpet node: "stray" is not expected/m],
  ]) {
    test(`${flags.join(' ')} is refused in one line`, async () => {
      const { code, stderr, stdout } = await nodeEnds(...flags);
      assert.equal(code, 2);
      assert.match(stderr + stdout, said);
    });
  }

  test('what cannot be bound, read or used is said, exit code 1', async () => {
    const taken = await LimpetNode.start();
    const { code, stderr } = await nodeEnds('--listen', taken.address.text);
    assert.equal(code, 1);
    assert.match(stderr, /cannot listen on 127\.0\.0\.1:\d+.*in use/);
    await taken.close();
    for (const [flags, said] of [
      [['--jwt-key', '/nowhere/key'], /jwt_key: \/nowhere\/key: No such file or directory/],
      [['--serve-client', '/nowhere'], /serve_client: \/nowhere\/socket\.io\.js: there is no such file/],
      [['-c', '/nowhere/limpet.toml'], /cannot be read/],
      [['--listen', 'unix:/tmp/limpet-e2e-unused.sock'], /needs an id/],
    ]) {
      const ended = await nodeEnds('--listen', '127.0.0.1:0', ...flags);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, said);
    }
  });
});

scenario('a file says what flags say, and flags go before it', async (world) => {
  const file = path.join(await world.directory(), 'limpet.toml');
  await writeFile(file, '[node]\nid = "filed"\ncookie = "io"\nping_interval = "7s"\n[log]\nlevel = "info"\n');
  const node = world.own(await LimpetNode.start(['-c', file, '--ping-interval', '8s']));
  const { body, headers } = await open(node);
  assert.equal(JSON.parse(body.slice(1)).pingInterval, 8000);
  assert.deepEqual(headers['set-cookie'], ['io=filed; Path=/; HttpOnly; SameSite=Lax']);
  await writeFile(file, '[node]\nid = "a b"\nping = "1s"\n');
  const { code, stderr } = await nodeEnds('-c', file);
  assert.equal(code, 1);
  assert.match(stderr, /:2:6: node\.id: /);
  assert.match(stderr, /:3:1: node\.ping: unknown key/);
});

scenario('without an id it is called by its address, and sids end in its tag', async (world) => {
  const named = world.own(await LimpetNode.start(['--id', 'ws1']));
  const nameless = world.own(await LimpetNode.start());
  const sid = async (node) => JSON.parse((await open(node)).body.slice(1)).sid;
  assert.match(await sid(named), /^[\w-]{12}_9OrFaYU$/);
  const [one, two] = [await sid(nameless), await sid(nameless)];
  assert.equal(one.slice(12), two.slice(12));
  assert.notEqual(one, two);
  assert.match(nameless.stderr, new RegExp(`node ${nameless.address.text} serves`));
});

scenario('it listens on Unix sockets, and takes its files away', async (world) => {
  const dir = await world.directory();
  const node = world.own(await LimpetNode.start(['--listen', `unix:${dir}/n.sock`, '--id', 'u', '--admin', `unix:${dir}/a.sock`]));
  assert.equal((await node.health()).body, 'ok');
  assert.equal((await stat(`${dir}/a.sock`)).mode & 0o777, 0o600);
  assert.equal(await node.metric('websocket_connections'), 0);
  await node.stop();
  await assert.rejects(stat(`${dir}/n.sock`));
  await assert.rejects(stat(`${dir}/a.sock`));
});

scenario('metrics are on the admin address alone, and count', async (world) => {
  const node = world.own(await LimpetNode.start(['--admin', '127.0.0.1:0']));
  for (const target of ['/metrics', '/admin', '/']) assert.equal((await request(node.address, target)).status, 404);
  assert.equal((await request(node.adminAddress, '/health')).body, 'ok');
  assert.equal((await request(node.adminAddress, '/metrics', { headers: { Origin: 'http://a' } })).status, 403);
  const socket = io(node.url, { transports: ['websocket'], reconnection: false });
  world.own({ close: () => socket.disconnect() });
  await until(() => socket.connected, 5000, 'the client connects');
  await socket.timeout(5000 * slowness).emitWithAck('join', 'news');
  assert.equal(await node.metric('websocket_connections'), 1);
  assert.equal(await node.metric('limpet_node_sessions', { transport: 'websocket' }), 1);
  assert.equal(await node.metric('limpet_node_rooms'), 1);
  assert.equal(await node.metric('limpet_node_sockets'), 1);
  assert.equal(await node.metric('limpet_node_events_total', { direction: 'in' }), 1);
  assert.ok(await node.metric('limpet_node_packets_total', { direction: 'in' }) >= 2);
  assert.ok(await node.metric('limpet_node_bytes_total', { direction: 'out' }) > 0);
  assert.ok(await node.metric('process_resident_memory_bytes') > 1e6);
  await until(async () => await node.metric('limpet_node_event_loop_lag_seconds_count') >= 1, 5000, 'lag is measured');
  await open(node);
  assert.equal(await node.metric('limpet_node_sessions', { transport: 'polling' }), 1);
  socket.disconnect();
  await node.becomes('websocket_connections', 0);
});

scenario('above max_connections polls get 503, WebSockets 1008, health says full', async (world) => {
  const node = world.own(await LimpetNode.start(['--max-connections', '1']));
  const socket = io(node.url, { transports: ['websocket'], reconnection: false });
  world.own({ close: () => socket.disconnect() });
  await until(() => socket.connected, 5000, 'the client connects');
  const health = await node.health();
  assert.deepEqual([health.status, health.body], [503, 'full']);
  const refused = await open(node);
  assert.equal(refused.status, 503);
  assert.equal(typeof refused.json().message, 'string');
  const late = new WebSocket(`${node.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let closed;
  late.on('close', (code, reason) => { closed = [code, String(reason)]; }).on('error', () => {});
  await until(() => closed, 5000, 'the second is closed');
  assert.deepEqual(closed, [1008, 'Server at capacity']);
  socket.disconnect();
  await until(async () => (await node.health()).body === 'ok', 5000, 'there is room again');
});

scenario('the cookie is set only where asked for', async (world) => {
  const plain = world.own(await LimpetNode.start(['--id', 'ws1']));
  assert.equal((await open(plain)).headers['set-cookie'], undefined);
  const node = world.own(await LimpetNode.start(['--id', 'ws1', '--cookie', 'io']));
  const first = await open(node);
  assert.deepEqual(first.headers['set-cookie'], ['io=ws1; Path=/; HttpOnly; SameSite=Lax']);
});

scenario('the plain WebSocket endpoint is there where asked for', async (world) => {
  const node = world.own(await LimpetNode.start(['--raw', 'echo', '--raw-path', '/ws', '--admin', '127.0.0.1:0']));
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/ws`);
  world.own({ close: () => socket.terminate() });
  const got = [];
  socket.on('message', (data) => got.push(String(data))).on('open', () => socket.send('hello'));
  await until(() => got.length, 5000, 'it answers');
  assert.deepEqual(got, ['hello']);
  assert.equal(await node.metric('limpet_node_raw_connections'), 1);
  const none = world.own(await LimpetNode.start());
  assert.equal((await request(none.address, '/ws')).status, 404);
});

scenario('who anyone can be is said where anyone can come', async (world) => {
  const local = world.own(await LimpetNode.start());
  assert.doesNotMatch(local.stderr, /auth\.userId/);
  const open = world.own(await LimpetNode.start(['--listen', '0.0.0.0:0']));
  assert.match(open.stderr, /whoever reaches 0\.0\.0\.0:\d+ can be any user: auth\.userId is believed as it stands; set jwt_key/);
  const key = path.join(await world.directory(), 'key');
  await writeFile(key, 'x'.repeat(32), { mode: 0o600 });
  const keyed = world.own(await LimpetNode.start(['--listen', '0.0.0.0:0', '--jwt-key', key]));
  assert.doesNotMatch(keyed.stderr, /warning.*(auth\.userId|secret)/);
});

scenario('limpet run needs a listener, limpet check does not mind a node alone', async (world) => {
  const file = path.join(await world.directory(), 'limpet.toml');
  await writeFile(file, '[node]\nid = "ws1"\n');
  const { Child } = await import('../lib/child.mjs');
  const { binary } = await import('../lib/limpet.mjs');
  const check = new Child('limpet check', binary, ['check', '-c', file]);
  assert.deepEqual(await check.ended, { code: 0, signal: null });
  const run = new Child('limpet run', binary, ['run', '-c', file]);
  assert.deepEqual(await run.ended, { code: 1, signal: null });
  assert.match(run.stderr, /there is no listener/);
});

scenario('too few descriptors lower the bound, and are warned of', async (world) => {
  const { Child } = await import('../lib/child.mjs');
  const { binary } = await import('../lib/limpet.mjs');
  const script = `ulimit -n 164; exec "${binary}" node --listen 127.0.0.1:0`;
  const node = new Child('limpet node', '/bin/sh', ['-c', script]);
  world.own({ close: () => node.kill(), log: () => node.log() });
  const [, address] = await node.says(/listening on (\S+)$/m, 10_000, 'stderr');
  assert.match(node.stderr, /max_connections is 50000, but of 164 descriptors 90 are for sessions/);
  const statuses = [];
  for (let i = 0; i < 91; i += 1) statuses.push((await request(new Address(address), '/socket.io/?EIO=4&transport=polling')).status);
  assert.deepEqual([statuses.at(89), statuses.at(90)], [200, 503]);
  assert.equal((await request(new Address(address), '/health')).body, 'full');
});

scenario('flags without a value switch on, and off with =false', async (world) => {
  const on = world.own(await LimpetNode.start(['--allow-eio3', '--http-compression=false', '--cors-credentials', '--cors-origins', 'http://a']));
  assert.equal((await request(on.address, '/socket.io/?EIO=3&transport=polling')).status, 200);
  const { headers } = await request(on.address, '/socket.io/?EIO=4&transport=polling', { headers: { Origin: 'http://a' } });
  assert.equal(headers['access-control-allow-origin'], 'http://a');
  assert.equal(headers['access-control-allow-credentials'], 'true');
  const off = world.own(await LimpetNode.start(['--allow-eio3=false']));
  assert.equal((await request(off.address, '/socket.io/?EIO=3&transport=polling')).status, 400);
});

scenario('with a list of origins other pages open no WebSocket', async (world) => {
  const handshake = (node, Origin) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${node.address.text}/socket.io/?EIO=4&transport=websocket`, Origin && { headers: { Origin } });
    world.own({ close: () => socket.terminate() });
    socket.on('open', () => resolve(101)).on('error', reject);
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
  });
  const node = world.own(await LimpetNode.start(['--cors-origins', 'http://a']));
  assert.equal(await handshake(node, 'http://a'), 101);
  assert.equal(await handshake(node, `https://${node.address.text}`), 101);
  assert.equal(await handshake(node), 101);
  assert.equal(await handshake(node, 'http://b'), 403);
  for (const flags of [[], ['--cors-origins', '*']]) {
    assert.equal(await handshake(world.own(await LimpetNode.start(flags)), 'http://b'), 101);
  }
});

scenario('the last of a repeated flag counts, lists grow', async (world) => {
  const node = world.own(await LimpetNode.start(['--ping-interval', '1s', '--ping-interval', '2s', '--cors-origins', 'http://a', '--cors-origins', 'http://b']));
  assert.equal(JSON.parse((await open(node)).body.slice(1)).pingInterval, 2000);
  for (const origin of ['http://a', 'http://b']) {
    const { headers } = await request(node.address, '/socket.io/?EIO=4&transport=polling', { headers: { Origin: origin } });
    assert.equal(headers['access-control-allow-origin'], origin);
  }
});
