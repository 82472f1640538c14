// Where listeners and servers can be: IPv4, IPv6 and Unix-domain sockets, in every combination.
import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';
import { request } from '../lib/limpet.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Client, transportsOf } from './client.mjs';
import { cluster } from './cluster.mjs';
import { PollingClient } from './polling_client.mjs';

const haveIpv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1');
const skip = haveIpv6 ? false : 'this machine has no ::1';

describe('one proxy with three listeners, servers of three kinds', () => {
  const shared = sharing(async (world) => {
    const dir = await world.directory();
    const nodes = [
      await world.node({ id: 'tcp4', cookie: false }),
      await world.node({ id: 'tcp6', cookie: false, listen: { host: haveIpv6 ? '::1' : '127.0.0.1', port: 0 } }),
      await world.node({ id: 'unix', cookie: false, listen: { path: path.join(dir, 'node.sock') } }),
    ];
    const listeners = ['127.0.0.1:0', haveIpv6 ? '[::1]:0' : '127.0.0.1:0', `unix:${path.join(dir, 'proxy.sock')}`];
    const proxy = await world.limpet(`[pool.ws]\nservers = [${nodes.map((node) => `"${node.entry}"`)}]\n`
      + listeners.map((address) => `[[listener]]\naddress = "${address}"\n`).join(''));
    return { proxy, nodes };
  });

  for (const id of ['tcp4', 'tcp6', 'unix']) {
    for (const [name, transports] of Object.entries(transportsOf)) {
      shared.fact(`${name} to ${id}`, { skip: id === 'tcp6' && skip }, async ({ proxy }, world) => {
        const client = world.own(new Client(proxy, { transports, extraHeaders: { Cookie: `io=${id}` } }));
        await client.settled();
        assert.equal(await client.who(), id);
        const bytes = Buffer.alloc(64 * 1024, 7);
        assert.ok(bytes.equals(await client.call('echo', bytes)));
      });
    }
  }

  shared.fact('official clients by IPv6', { skip }, async ({ proxy }, world) => {
    for (const transports of Object.values(transportsOf)) {
      const client = world.own(new Client({ url: proxy.listeners[1].url }, { transports }));
      await client.settled();
      assert.ok(await client.who());
    }
  });

  shared.fact('polling by a Unix socket', async ({ proxy }) => {
    const clients = await Promise.all(
      Array.from({ length: 9 }, async () => (await new PollingClient(proxy.listeners[2]).open()).connect()),
    );
    const homes = await Promise.all(clients.map((client) => client.who()));
    // Clients of a Unix socket have no address: they go where the fewest sessions are.
    assert.equal(new Set(homes).size, 3);
    assert.deepEqual(await Promise.all(clients.map((client) => client.who())), homes);
  });

  shared.fact('a WebSocket by a Unix socket', async ({ proxy }, world) => {
    const connection = await world.connect(proxy.listeners[2]);
    connection.send('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    const { status, headers } = await connection.head();
    assert.equal(status, 101);
    assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    await connection.reads(/0\{"sid":"[\w-]{20}"/);
  });
});

scenario('a socket file that nobody answers on is replaced, one in use is an error', async (world) => {
  const socket = path.join(await world.directory(), 'proxy.sock');
  const node = await world.node({ id: 'ws1' });
  const toml = `[pool.ws]\nservers = ["${node.entry}"]\n[[listener]]\naddress = "unix:${socket}"\n`;
  const first = await world.limpet(toml);
  await assert.rejects(world.limpet(toml), /proxy\.sock/);
  assert.equal((await request(first.address, '/health')).status, 200);

  // Killed, it leaves its file behind.
  await first.kill();
  first.expect = first.end;
  const second = await world.limpet(toml);
  assert.equal((await request(second.address, '/health')).status, 200);
});

scenario('a TCP address in use is an error at the start', async (world) => {
  const { proxy, nodes } = await cluster(world, { redis: false, count: 1 });
  const toml = `[pool.ws]\nservers = ["${nodes[0].entry}"]\n[[listener]]\naddress = "${proxy.address.text}"\n`;
  await assert.rejects(world.limpet(toml), new RegExp(proxy.address.text));
});
