// Servers by name: dnsmasq says who is there, and changes its mind.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';
import { tagOf } from '../../../examples/node-socketio/sid.js';
import { holds, slowness, until, within } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { answering, ok } from './requests.mjs';
import { switching, upgrade } from './websocket.mjs';

const fast = `interval = "200ms", fast_interval = "100ms", timeout = "${1000 * slowness}ms", slow_start = "0s"`;

// A server at `host` that answers with its id, and sends back what comes over a WebSocket.
async function originAt(world, host, port) {
  const script = answering(({ headers, ...head }, connection) => {
    if (!headers.upgrade) return ok(origin.id);
    connection.socket.on('data', (bytes) => { if (!connection.ending) connection.send(bytes); });
    return switching({ headers, ...head });
  });
  const origin = await world.origin({ script, host, port });
  origin.host = host;
  origin.id = `${host}:${origin.port}`;
  return origin;
}

// Origins on one port of several addresses of this machine.
async function origins(world, hosts) {
  for (let tries = 0; ; tries += 1) {
    const all = [];
    try {
      for (const host of hosts) all.push(await originAt(world, host, all[0]?.port));
      return all;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || tries === 20) throw error;
    }
  }
}

const three = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

// Origins at `hosts` and limpet before those that DNS names in the beginning. `servers` may add to "dns:ws.test:PORT".
async function named(world, { hosts = three, first = hosts, ttl = 1, drain = '20s', servers = '', health = fast, more = '', wait } = {}) {
  const all = await origins(world, hosts);
  const { port } = all[0];
  const dns = await world.dns({ 'ws.test': first }, { ttl });
  const proxy = await world.limpet(`[proxy]\nworkers = 2\ndrain_timeout = "${drain}"\nresolvers = ["${dns.address}"]\n`
    + `[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n`
    + `[pool.web]\nbalance = "round_robin"\nservers = ["dns:ws.test:${port}"${servers}]\nhealth = { ${health} }\n${more}`, { wait });
  const says = (...now) => dns.says({ 'ws.test': now });
  const ids = async () => (await proxy.status()).pools[0].servers.map(({ id }) => id);
  // Those that get new sessions, as many requests see them.
  const seen = async (count = 12) => {
    const got = new Set();
    for (let i = 0; i < count; i += 1) got.add((await request(proxy.address, '/')).body);
    return [...got].sort();
  };
  const are = (...wanted) => until(async () => (await seen()).join() === wanted.map(({ id }) => id).join(), 8000, 'those serve');
  const lines = () => proxy.stderr.split('\n').filter((line) => / dns: /.test(line)).map((line) => line.replace(/^.*? dns: /, ''));
  const id = (host) => `${host}:${port}`;
  const server = (host) => proxy.server('web', id(host));
  return { all, port, dns, proxy, says, ids, seen, are, lines, id, server };
}

const get = (proxy, target, headers = {}) => request(proxy.address, target, { headers });
const poll = (id) => `/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAA${tagOf(id)}`;

async function tunnel(world, proxy, id) {
  const client = await world.connect(proxy.address);
  client.send(upgrade({ Cookie: `io=${id}` }));
  assert.equal((await client.head()).status, 101);
  return client;
}
async function echoes(client) {
  client.send('ping');
  assert.equal((await client.bytes(4)).toString(), 'ping');
}

describe('a server for each address of a name', () => {
  scenario('of both kinds, with its id, from the first request on', async (world) => {
    const hosts = ['127.0.0.2', '127.0.0.3', '::1'];
    const { all: [a, b, c], port, proxy, ids, seen, lines } = await named(world, { hosts });
    assert.deepEqual(await ids(), [a.id, b.id, `::1:${port}`], 'as if they were written so');
    assert.deepEqual(lines(), [`pool web: added ${a.id}, ${b.id}, ${c.id}`]);
    await Promise.all([a, b, c].map(({ id }) => proxy.becomes('web', id, 'up')));
    assert.deepEqual(await seen(), [a.id, b.id, c.id]);
    for (const { id } of [a, b, c]) {
      assert.equal((await get(proxy, '/', { Cookie: `io=${id}` })).body, id);
      assert.equal((await get(proxy, poll(id))).body, id);
      assert.equal(await proxy.metric('limpet_server_state', { server: id, state: 'up' }), 1);
    }
    assert.match((await proxy.command('status')).stdout, new RegExp(`^web/${a.id} +up `, 'm'));
    assert.deepEqual((await proxy.server('web', c.id)).addresses, [`[::1]:${port}`]);
    await proxy.admin(`/pools/web/servers/${b.id}/drain`, { method: 'POST' });
    assert.deepEqual(await seen(), [a.id, c.id]);
  });

  scenario('grows: a new one gets new sessions once a probe has passed', async (world) => {
    const { all: [a, b, c], says, seen, are, id, server, ids } = await named(world, { first: three.slice(0, 2) });
    const waiting = [];
    c.health = (connection) => { waiting.push(connection); };
    await says(...three);
    await until(() => waiting.length, 5000, 'it is probed');
    assert.equal((await server(c.host)).reason, 'not probed yet');
    assert.deepEqual(await seen(), [a.id, b.id]);
    c.health = 200;
    waiting[0].send(ok());
    await are(a, b, c);
    assert.deepEqual(await ids(), three.map(id));
  });

  scenario('shrinks: open WebSockets and sids stay, nothing new comes, then it is gone; who comes back is who it was', async (world) => {
    const { all: [a, b, c], proxy, says, are, server, ids, lines } = await named(world, { drain: '4s' });
    const client = await tunnel(world, proxy, a.id);
    await says(b.host, c.host);
    await until(async () => (await server(a.host)).wanted === 'leaving', 5000, 'it leaves');
    await are(b, c);
    await echoes(client);
    assert.notEqual((await get(proxy, '/', { Cookie: `io=${a.id}` })).body, a.id, 'a cookie is no reason to stay');
    assert.equal((await get(proxy, poll(a.id))).body, a.id, 'a sid is');
    const { requests_total: total } = await server(a.host);
    await says(...three);
    await are(a, b, c);
    const again = await server(a.host);
    assert.equal(again.tunnels, 1);
    assert.ok(again.requests_total > total);
    await says(b.host, c.host);
    await until(async () => !(await ids()).includes(a.id), 12_000, 'it has left');
    await echoes(client);
    assert.notEqual((await get(proxy, poll(a.id))).body, a.id);
    await says(...three);
    await are(a, b, c);
    assert.equal((await server(a.host)).tunnels, 1, 'and still after it was gone');
    await echoes(client);
    assert.deepEqual(lines().slice(1), [`pool web: removed ${a.id}`, `pool web: added ${a.id}`, `pool web: removed ${a.id}`, `pool web: added ${a.id}`]);
  });

  scenario('one that is removed and still answers is left alone; all are replaced at once', async (world) => {
    const { all: [a, b, c], proxy, says, are } = await named(world, { first: ['127.0.0.2'] });
    const client = await tunnel(world, proxy, a.id);
    await says(b.host, c.host);
    await are(b, c);
    await echoes(client);
  });

  scenario('TCP takes over where an answer is long, and 256 of the addresses are servers', async (world) => {
    const many = Array.from({ length: 300 }, (_, i) => `127.1.${Math.floor(i / 250)}.${1 + (i % 250)}`);
    const { ids, lines } = await named(world, { hosts: ['127.0.0.2'], first: many, health: 'type = "off"' });
    assert.equal((await ids()).length, 256);
    assert.ok(lines().includes('ws.test has 300 addresses; 256 of them are servers'), lines().join('\n'));
    await holds(async () => (await ids()).length === 256, 2500, 'the same ones');
    assert.equal(lines().length, 2, 'told once');
  });
});

describe('DNS that does not help', () => {
  scenario('at the start: limpet runs, /ready and requests get 503 until the name is there', async (world) => {
    const { all: [a], proxy, says, are, lines, ids } = await named(world, { first: [] });
    assert.equal((await get(proxy, '/ready')).status, 503);
    assert.equal((await proxy.admin('/ready')).status, 503);
    assert.equal((await get(proxy, '/')).status, 503);
    assert.deepEqual(await ids(), []);
    assert.match((await proxy.command('status')).stdout, /not ready.*^web: no server yet$/ms);
    await holds(() => lines().length === 1, 2500, 'told once');
    assert.match(lines()[0], /^ws\.test: .*; there is no server of it until it resolves$/);
    await says(a.host);
    await are(a);
    assert.equal((await get(proxy, '/ready')).status, 200);
    assert.equal(lines()[1], 'ws.test resolves');
  });

  scenario('silent at the start: listeners open after a second', async (world) => {
    const [a, w] = await origins(world, ['127.0.0.2', '127.0.0.3']);
    const dns = await world.dns({ 'ws.test': [a.host] });
    dns.freeze();
    const proxy = await world.limpet(`[proxy]\nresolvers = ["${dns.address}"]\n[pool.web]\n`
      + `servers = ["w=${w.address}", "dns:ws.test:${a.port}"]\nhealth = { ${fast} }`);
    assert.equal((await get(proxy, '/')).body, w.id, 'the written one serves');
    dns.thaw();
    await proxy.becomes('web', a.id, 'up');
  });

  scenario('silent, or not there: the last answer stays, told once, and so is the end', { seconds: 90 }, async (world) => {
    const { all: [a, b], dns, says, seen, are, lines } = await named(world, { first: three.slice(0, 2) });
    await are(a, b);
    dns.freeze();
    await until(() => lines().length === 2, 15_000, 'it is told');
    assert.match(lines()[1], /^ws\.test: Timeout .*; its 2 addresses are kept$/);
    assert.deepEqual(await seen(), [a.id, b.id]);
    dns.thaw();
    await until(() => lines().length === 3, 15_000, 'its end, too');
    assert.equal(lines()[2], 'ws.test resolves again');
    await dns.kill();
    await until(() => lines().length === 4, 5000, 'it is told');
    await holds(() => lines().length === 4, 3500, 'once');
    assert.match(lines()[3], /^ws\.test: .*; its 2 addresses are kept$/);
    assert.deepEqual(await seen(), [a.id, b.id]);
    await dns.start();
    await until(() => lines().length === 5, 15_000, 'its end, too');
    await says(b.host);
    await are(b);
  });

  scenario('the name is gone, or has no address any more: the last answer stays', async (world) => {
    const { all: [a, b], dns, says, seen, are, lines } = await named(world, { first: three.slice(0, 2) });
    await are(a, b);
    await says();
    await until(() => lines().length === 2, 5000, 'it is told');
    assert.match(lines()[1], /; its 2 addresses are kept$/);
    await holds(async () => (await seen(4)).length === 2, 2000, 'both serve');
    await says(a.host);
    await are(a);
    await dns.says({ 'below.ws.test': ['127.0.0.9'] });  // so that ws.test exists, without an address
    await until(() => lines().filter((line) => /; its address is kept$/.test(line)).length === 1, 5000, 'it is told');
    assert.deepEqual(await seen(), [a.id]);
  });
});

describe('the TTL', () => {
  scenario('is waited for', async (world) => {
    const { all: [a, b], dns, says, seen, are } = await named(world, { first: ['127.0.0.2'], ttl: 4 });
    assert.equal(dns.asked('ws.test'), 1);
    await says(a.host, b.host);
    await holds(() => dns.asked('ws.test') === 1, 2500, 'it is not asked again yet');
    assert.deepEqual(await seen(), [a.id]);
    await are(a, b);
    assert.equal(dns.asked('ws.test'), 2);
    assert.equal(dns.asked('ws.test', 'AAAA'), 2);
  });

  scenario('of 0 is a second', async (world) => {
    const { dns, proxy } = await named(world, { first: ['127.0.0.2'], ttl: 0 });
    const before = dns.asked('ws.test');
    const begun = performance.now();
    await until(() => dns.asked('ws.test') >= before + 3, 6000, 'it is asked again');
    assert.ok(performance.now() - begun > 2000, 'and not without a pause');
    assert.equal(proxy.end, undefined);
  });
});

// What the log says of SIGHUP once the line of the servers is another.
async function hup(proxy, servers) {
  const lines = () => [...proxy.stderr.matchAll(/^.*SIGHUP: (.*)$/gm)].map(([, line]) => line);
  const before = lines().length;
  writeFileSync(proxy.file, readFileSync(proxy.file, 'utf8').replace(/^servers = .*$/m, `servers = [${servers}]`));
  proxy.signal('SIGHUP');
  return until(() => lines()[before], 5000, 'a line about SIGHUP');
}

describe('SIGHUP beside it', () => {
  scenario('a written server comes and goes, the found ones stay; a weight is for all of them', async (world) => {
    const { all: [a, b, c], port, proxy, says, are, server } = await named(world, { first: three.slice(0, 2) });
    const client = await tunnel(world, proxy, a.id);
    const name = `dns:ws.test:${port}`;
    assert.equal(await hup(proxy, `"${name}", "${c.id}"`), `pool web: added ${c.id}`);
    await are(a, b, c);
    assert.equal(await hup(proxy, `{ address = "${name}", weight = 7 }, "${c.id}"`),
      `pool web: changed ${name} (weight 7), ${a.id} (weight 7), ${b.id} (weight 7)`);
    assert.equal((await server(b.host)).weight, 7);
    await says(a.host, b.host, c.host);
    await until(() => new RegExp(`${c.id} of ${name} is the id of a server of the file`).test(proxy.stderr), 5000, 'it is told');
    assert.equal((await server(c.host)).weight, 1, 'what is written counts');
    assert.equal(await hup(proxy, `{ address = "${name}", weight = 7 }`), `pool web: changed ${c.id} (weight 7)`);
    assert.equal((await server(c.host)).weight, 7, 'the same server, by its name now');
    await says(b.host, c.host);
    await until(async () => (await server(a.host)).wanted === 'leaving', 5000, 'it leaves');
    assert.equal(await hup(proxy, `"${c.id}"`), `pool web: removed ${name}, ${b.id}; changed ${c.id} (weight 1)`);
    await are(c);
    await echoes(client);
  });

  scenario('another name: asked for at once; one that does not resolve is told', async (world) => {
    const { all: [a, b], port, dns, proxy, are, lines } = await named(world, { first: ['127.0.0.2'] });
    await dns.says({ 'ws.test': [a.host], 'other.test': [b.host] });
    assert.equal(await hup(proxy, `"dns:ws.test:${port}", "dns:other.test:${port}"`), `pool web: added dns:other.test:${port}`);
    await are(a, b);
    assert.equal(await hup(proxy, `"dns:nobody.test:${port}"`),
      `pool web: added dns:nobody.test:${port}; removed dns:ws.test:${port}, dns:other.test:${port}, ${a.id}, ${b.id}`);
    await until(() => /nobody\.test: .*; there is no server of it until it resolves/.test(lines().at(-1)), 5000, 'it is told');
    assert.equal((await get(proxy, '/')).status, 200, 'those that leave stand in');
    const asked = dns.asked('ws.test');
    await dns.says({ 'nobody.test': [b.host] });
    await are(b);
    assert.equal(dns.asked('ws.test'), asked, 'nobody asks for who is not named any more');
  });

  scenario('other resolvers need a restart', async (world) => {
    const { proxy } = await named(world, { first: ['127.0.0.2'] });
    writeFileSync(proxy.file, readFileSync(proxy.file, 'utf8').replace(/^resolvers = .*$/m, 'resolvers = ["127.0.0.9"]'));
    proxy.signal('SIGHUP');
    await proxy.says(/SIGHUP: .* changes proxy\.resolvers, which needs a restart; nothing changes/, 5000, 'stderr');
  });
});

scenario('no question is asked once limpet shuts down', async (world) => {
  const { all: [a], dns, proxy } = await named(world, { first: ['127.0.0.2'], drain: '4s' });
  const client = await tunnel(world, proxy, a.id);
  proxy.signal('SIGTERM');
  await proxy.says(/listeners closed/, 5000, 'stderr');
  const asked = dns.asked('ws.test');
  await holds(() => dns.asked('ws.test') === asked, 1500, 'nobody asks');
  client.destroy();
  await within(proxy.ended, 10_000, 'it ends');
});

scenario('limpet check says what a name will be', async (world) => {
  const { proxy, port } = await named(world, { first: [] });
  const { code, stdout } = await proxy.command('check');
  assert.equal(code, 0);
  assert.equal(stdout, `${proxy.file}: pool.web: dns:ws.test:${port}: a server for each address of ws.test, with the id ADDRESS:${port}\n`
    + `${proxy.file}: ok\n`);
});
