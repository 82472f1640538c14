// What an operator sees while Socket.IO clients are there: /status, /metrics, /ready and the commands.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Crowd } from './client.mjs';
import { PollingClient } from './polling_client.mjs';

const options = (transports) => (i) => ({ source: () => loopback(i), transports });
const sum = (servers, key) => servers.reduce((total, server) => total + server[key], 0);

describe('the admin address', () => {
  const shared = sharing((world) => cluster(world, { redis: false, cookie: false, fast: true }));

  shared.fact('is a Unix socket for its owner alone', async ({ proxy }) => {
    const { mode } = await stat(proxy.adminAddress.path);
    assert.equal(mode & 0o777, 0o600);
  });

  shared.fact('/status counts tunnels while they are open', async ({ proxy }, world) => {
    const crowd = await Crowd.join(world, proxy, 30, options(['websocket']));
    const homes = await crowd.who();
    const servers = (await proxy.status()).pools[0].servers;
    for (const { id, state, wanted, tunnels } of servers) {
      assert.deepEqual({ state, wanted, tunnels }, { state: 'up', wanted: 'serving', tunnels: homes.filter((home) => home === id).length });
    }
    crowd.close();
    await until(async () => sum((await proxy.status()).pools[0].servers, 'tunnels') === 0, 5000, 'all are closed');
  });

  shared.fact('/status counts learned sids', async ({ proxy }, world) => {
    const crowd = await Crowd.join(world, proxy, 10, options(['polling']));
    await crowd.who();
    const { sids } = await proxy.status();
    assert.ok(sids.learned >= 10, JSON.stringify(sids));
    assert.ok(sids.learned <= sids.most);
  });

  shared.fact('/status tells the state of a server and its reason', async ({ proxy, node }) => {
    await node('ws2').drain();
    await proxy.becomes('ws', 'ws2', 'refusing');
    assert.match((await proxy.server('ws', 'ws2')).reason, /503/);
    await node('ws2').drain(false);
    await proxy.becomes('ws', 'ws2', 'up');
  });

  shared.fact('/metrics are Prometheus text that changes with what happens', async ({ proxy }) => {
    const { status, headers, body } = await proxy.admin('/metrics');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    for (const line of body.trim().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) limpet_\w+ .+|limpet_\w+(\{[^{}]*\})? -?[0-9.e+-]+)$/);
    }
    const total = () => proxy.metric('limpet_requests_total');
    const before = await total();
    const client = await (await new PollingClient(proxy.address).open()).connect();
    await client.who();
    await until(async () => (await total()) === before + client.count, 2000, 'every request is counted once');
  });

  shared.fact('`limpet status` shows every server, as text and as JSON', async ({ proxy }) => {
    const text = await proxy.command('status');
    assert.equal(text.code, 0, text.stderr);
    for (const id of ['ws1', 'ws2', 'ws3']) assert.match(text.stdout, new RegExp(`^ws/${id}\\s+up\\b`, 'm'));
    const json = await proxy.command('status', '--json');
    assert.equal(JSON.parse(json.stdout).pools[0].servers.length, 3);
  });

  shared.fact('connections that only wait lock nobody out', async ({ proxy }, world) => {
    await Promise.all(Array.from({ length: 100 }, () => world.connect(proxy.adminAddress)));
    for (let i = 0; i < 5; i += 1) assert.equal((await proxy.admin('/ready')).status, 200);
    const { code, stderr } = await proxy.command('status');
    assert.equal(code, 0, stderr);
  });

  shared.fact('other paths and methods are refused', async ({ proxy }) => {
    assert.equal((await proxy.admin('/')).status, 404);
    assert.equal((await proxy.admin('/status', { method: 'POST' })).status, 405);
    assert.equal((await proxy.admin('/pools/ws/servers/ws1/drain')).status, 405);
  });
});
