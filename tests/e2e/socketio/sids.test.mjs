// Clients without cookies whose source address changes with every request: their sid alone holds them.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { request } from '../lib/limpet.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { sharing } from '../lib/world.mjs';
import { until } from '../lib/deadline.mjs';
import { cluster, loopback } from './cluster.mjs';
import { PollingClient } from './polling_client.mjs';

let connections = 0;
const wandering = { source: () => loopback(connections += 1) };
const sidOnly = 'affinity = ["sid", "source"]';

async function thirtyWanderersStay(proxy, nodes) {
  const clients = await Promise.all(
    Array.from({ length: 30 }, async () => (await new PollingClient(proxy.address, wandering).open()).connect()),
  );
  const homes = await Promise.all(clients.map((client) => client.who()));
  assert.deepEqual([...new Set(homes)].sort(), nodes.map((node) => node.id));
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await Promise.all(clients.map((client) => client.who())), homes);
  }
}

describe('learned sids', () => {
  const shared = sharing((world) => cluster(world, { redis: false, cookie: false, pool: sidOnly }));

  shared.fact('thirty raw clients that change their address with every request stay', ({ proxy, nodes }) =>
    thirtyWanderersStay(proxy, nodes),
  );

  shared.fact('a client that asks for compressed answers is learned all the same', async ({ proxy }) => {
    const client = await new PollingClient(proxy.address, { ...wandering, headers: () => ({ 'Accept-Encoding': 'gzip, deflate' }) }).open();
    await client.connect();
    const home = await client.who();
    for (let i = 0; i < 5; i += 1) assert.equal(await client.who(), home);
  });

  shared.fact('a JSONP open is learned', async ({ proxy }) => {
    for (let i = 0; i < 6; i += 1) {
      const { body } = await request(proxy.address, '/socket.io/?EIO=4&transport=polling&j=0', { localAddress: loopback(i) });
      const sid = body.match(/\\"sid\\":\\"([\w-]{20})\\"/)[1];
      await answersToSid(proxy, sid);
    }
  });

  shared.fact('a sid that no table knows is sent on, and the node says what it thinks', async ({ proxy }) => {
    const { status, body } = await request(proxy.address, '/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA');
    assert.deepEqual({ status, body }, { status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
  });

  shared.fact('the last of repeated sids counts, percent-encoded or not', async ({ proxy }) => {
    const client = await (await new PollingClient(proxy.address, wandering).open()).connect();
    const home = await client.who();
    const encoded = client.sid.replace(/^./, (c) => `%${c.charCodeAt(0).toString(16)}`);
    for (let i = 0; i < 5; i += 1) {
      const { status, body } = await client.request('POST', `&sid=AAAAAAAAAAAAAAAAAAAA&sid=${encoded}`, '3');
      assert.deepEqual({ status, body }, { status: 200, body: 'ok' });
    }
    assert.equal(await client.who(), home);
  });
});

// The server that knows the sid answers a heartbeat with "ok"; any other with 400.
async function answersToSid(proxy, sid, { revision = 4, heartbeat = '3' } = {}) {
  for (let i = 0; i < 6; i += 1) {
    const { status, body } = await request(proxy.address, `/socket.io/?EIO=${revision}&transport=polling&sid=${sid}`, {
      method: 'POST', body: heartbeat, headers: { 'Content-Type': 'text/plain' }, localAddress: wandering.source(),
    });
    assert.deepEqual({ status, body }, { status: 200, body: 'ok' });
  }
}

describe('learned sids of Engine.IO 3', () => {
  const shared = sharing((world) => cluster(world, { redis: false, cookie: false, pool: sidOnly, socketio: { allowEIO3: true } }));

  shared.fact('an open with a length before its packet is learned', async ({ proxy }) => {
    for (let i = 0; i < 6; i += 1) {
      const { body } = await request(proxy.address, '/socket.io/?EIO=3&transport=polling&b64=1', { localAddress: loopback(i) });
      await answersToSid(proxy, body.match(/^\d+:0\{"sid":"([\w-]{20})"/)[1], { revision: 3, heartbeat: '1:2' });
    }
  });
});

describe('self-naming sids', () => {
  const shared = sharing((world) => cluster(world, { redis: false, cookie: false, selfNamingSids: true, pool: sidOnly, fast: true }));

  shared.fact('thirty raw clients that change their address with every request stay', ({ proxy, nodes }) =>
    thirtyWanderersStay(proxy, nodes),
  );

  shared.fact('a second proxy that never saw the session knows its node', async ({ proxy, nodes }, world) => {
    const other = await world.limpet(proxy.toml.replace(/\[\[listener[^]*/, ''));
    const proxies = [proxy, other];
    const clients = await Promise.all(
      Array.from({ length: 15 }, async () => (await new PollingClient(proxy.address, wandering).open()).connect()),
    );
    const homes = await Promise.all(clients.map((client) => client.who()));
    assert.deepEqual([...new Set(homes)].sort(), nodes.map((node) => node.id));
    for (let round = 0; round < 4; round += 1) {
      for (const client of clients) client.address = proxies[round % 2].address;
      assert.deepEqual(await Promise.all(clients.map((client) => client.who())), homes);
    }
  });

  shared.fact('the sid of a server that is down is answered by the proxy: 400, code 1', async ({ proxy, nodes, node }) => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => new PollingClient(proxy.address, wandering).open()));
    const victim = node('ws2');
    const lost = [];
    for (const client of clients) if ((await victim.sids()).includes(client.sid)) lost.push(client);
    assert.ok(lost.length, 'some of twelve addresses lead to ws2');
    await victim.kill();
    await proxy.becomes('ws', 'ws2', 'down');

    const { status, headers, body } = await lost[0].poll();
    assert.deepEqual({ status, body }, { status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
    assert.match(headers['content-type'], /^application\/json/);
    assert.match(await refusedUpgrade(proxy, lost[0].sid), /^HTTP\/1\.1 400 [^]*\r\n\r\nSession ID unknown$/);

    // Nobody of the others noticed.
    for (const client of clients.filter((one) => !lost.includes(one))) await client.connect();
    await victim.start();
    await proxy.becomes('ws', 'ws2', 'up');
    // It is back without its sessions, and says so itself.
    assert.equal((await lost[0].poll()).status, 400);
    assert.equal((await victim.requests()).length, 1);
    assert.equal(nodes.length, 3);
  });
});

async function refusedUpgrade(proxy, sid) {
  const connection = await RawConnection.open(proxy.address.to);
  connection.send(`GET /socket.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n`
    + 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await until(() => connection.ending, 5000, 'the refused upgrade is closed');
  return connection.text;
}
