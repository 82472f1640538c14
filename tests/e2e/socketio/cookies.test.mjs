// The `io` cookie, field by field: who sets it, when, with which attributes, and what it decides.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { WebSocket } from 'ws';
import { switching, webSockets } from '../http/websocket.mjs';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { PollingClient } from './polling_client.mjs';

const polling = '/socket.io/?EIO=4&transport=polling';
const websocket = '/socket.io/?EIO=4&transport=websocket';

// The Set-Cookie lines of an Engine.IO open.
async function openWith(proxy, headers = {}, source = '127.0.0.1') {
  const answer = await request(proxy.address, polling, { headers, localAddress: source });
  assert.equal(answer.status, 200);
  return { ...answer, cookies: answer.headers['set-cookie'] ?? [] };
}

// The fields of the 101 that begins a WebSocket session.
function upgradeWith(proxy, headers = {}, source = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${proxy.url}${websocket}`.replace('http:', 'ws:'), { headers, localAddress: source });
    socket.on('upgrade', (answer) => { resolve(answer.headers); socket.on('open', () => socket.terminate()); });
    socket.on('error', reject);
  });
}

const valueOf = (line) => line.match(/^io=([^;]*)/)[1];

// Which node takes a session that comes with `cookie` from each of twenty addresses.
async function placesOf(proxy, cookie, { always = false } = {}) {
  const clients = Array.from({ length: 20 }, (_, i) => new PollingClient(proxy.address, {
    source: () => loopback(i), headers: (n) => (always || n === 1 ? { Cookie: cookie } : {}),
  }));
  return Promise.all(clients.map(async (client) => (await (await client.open()).connect()).who()));
}

describe('mode = "insert"', () => {
  const shared = sharing((world) => cluster(world, { redis: false, cookie: false, pool: 'cookie = { mode = "insert" }' }));

  shared.fact('an open by polling is given io=ID; Path=/; HttpOnly; SameSite=Lax', async ({ proxy }) => {
    const { cookies, headers } = await openWith(proxy);
    assert.equal(cookies.length, 1);
    assert.match(cookies[0], /^io=ws[123]; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal(headers['cache-control'], 'private, no-store');
  });

  shared.fact('the 101 of a WebSocket open is given the same', async ({ proxy }) => {
    const headers = await upgradeWith(proxy);
    assert.equal(headers['set-cookie'].length, 1);
    assert.match(headers['set-cookie'][0], /^io=ws[123]; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal(headers['cache-control'], undefined);
  });

  shared.fact('whoever has one is not given another', async ({ proxy }) => {
    assert.deepEqual((await openWith(proxy, { Cookie: 'a=b; io=ws2; c=d' })).cookies, []);
    assert.equal((await upgradeWith(proxy, { Cookie: 'io=ws3' }))['set-cookie'], undefined);
  });

  shared.fact('requests within a session and plain requests are not given one', async ({ proxy }) => {
    const client = await new PollingClient(proxy.address).open();
    const { headers } = await client.request('POST', `&sid=${client.sid}`, '40');
    assert.equal(headers['set-cookie'], undefined);
    assert.equal((await client.poll()).headers['set-cookie'], undefined);
    assert.equal((await request(proxy.address, '/')).headers['set-cookie'], undefined);
  });

  shared.fact('nor are requests with a sid of a form that we do not know', async ({ proxy }) => {
    for (const sid of ['abc.def', 'x'.repeat(65), 'abc%2Bdef']) {
      const { status, headers } = await request(proxy.address, `${polling}&sid=${sid}`);
      assert.deepEqual([status, headers['set-cookie']], [400, undefined]);
    }
  });

  shared.fact('it decides the node, whatever the address', async ({ proxy, nodes }) => {
    for (const { id } of nodes) {
      assert.deepEqual([...new Set(await placesOf(proxy, `io=${id}`))], [id]);
    }
  });

  for (const foreign of [
    'io=ws9', 'io=', 'io=ws1x', `io=${'x'.repeat(4000)}`, 'io=../../ws1', 'IO=ws1', 'xio=ws1',
    'io=AAAAAAAAAAAAaqV2S1-o',
  ]) {
    shared.fact(`${foreign.slice(0, 20)} decides nothing and is replaced`, async ({ proxy }) => {
      assert.equal(new Set(await placesOf(proxy, foreign)).size, 3);
      assert.equal((await openWith(proxy, { Cookie: foreign })).cookies.length, 1);
    });
  }

  shared.fact('of several, the first that is valid decides', async ({ proxy }) => {
    assert.deepEqual([...new Set(await placesOf(proxy, 'io=ws9; io=ws2; io=ws3'))], ['ws2']);
  });

  shared.fact('a client that says it came by https, and is not trusted, gets no Secure', async ({ proxy }) => {
    const { cookies } = await openWith(proxy, { 'X-Forwarded-Proto': 'https' });
    assert.doesNotMatch(cookies[0], /Secure/);
  });
});

describe('mode = "insert" before a server that sets a cookie of that name itself', () => {
  const shared = sharing(async (world) => {
    const things = { heads: [] };
    const body = '0{"sid":"aaaaaaaaaaaaaaaaaaaa","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
    const origin = await world.origin({
      script: async (connection) => {
        for (;;) {
          things.heads.push(await connection.head(60_000));
          connection.send(
            `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nSet-Cookie: io=own; Path=/\r\nSet-Cookie: other=1\r\n\r\n${body}`,
          );
        }
      },
    });
    things.proxy = await world.limpet(
      `[pool.ws]\nservers = ["ws1=${origin.address}"]\n[proxy]\ntrusted_proxies = ["127.0.0.9/32"]\ndrain_timeout = "1s"\n`,
    );
    return things;
  });

  shared.fact('the server does not see the cookie, but all others', async ({ proxy, heads }) => {
    await openWith(proxy, { Cookie: 'a=b; io=ws1; c=d' });
    assert.equal(heads.at(-1).headers.cookie, 'a=b; c=d');
    await openWith(proxy, { Cookie: 'io=ws1' });
    assert.equal(heads.at(-1).headers.cookie, undefined);
  });

  shared.fact('its own of that name is replaced, and no other', async ({ proxy }) => {
    const { cookies } = await openWith(proxy);
    assert.deepEqual(cookies.sort(), ['io=ws1; Path=/; HttpOnly; SameSite=Lax', 'other=1'].sort());
  });

  shared.fact('Secure follows X-Forwarded-Proto of a trusted proxy', async ({ proxy }) => {
    const { cookies } = await openWith(proxy, { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' }, '127.0.0.9');
    assert.deepEqual(cookies.sort(), ['io=ws1; Path=/; HttpOnly; SameSite=Lax; Secure', 'other=1'].sort());
  });

  for (const [said, secure] of [
    ['HTTPS', true], ['https, http', true], ['https,http', true], ['http, https', false], ['http', false],
    ['httpsx', false],
  ]) {
    shared.fact(`of a list of schemes the client's own counts: ${said} gives ${secure ? '' : 'no '}Secure`, async ({ proxy }) => {
      const { cookies } = await openWith(proxy, { 'X-Forwarded-Proto': said }, '127.0.0.9');
      assert.equal(/; Secure$/.test(cookies.find((line) => line.startsWith('io='))), secure);
    });
  }
});

scenario('mode = "insert": a cookie of that name on a server\'s 101 is replaced, and warned of once', async (world) => {
  const origin = await world.origin({ script: webSockets({ answer: (head) => switching(head, { 'Set-Cookie': 'io=own; Path=/' }) }) });
  const proxy = await world.limpet(`[pool.ws]\nservers = ["ws1=${origin.address}"]\n`);
  const warnings = () => proxy.stderr.split('\n').filter((line) => /sets a cookie "io" of its own/.test(line));
  for (let i = 0; i < 3; i += 1) {
    assert.deepEqual((await upgradeWith(proxy))['set-cookie'], ['io=ws1; Path=/; HttpOnly; SameSite=Lax']);
    await until(() => warnings().length, 2000, 'the warning');
  }
  assert.equal(warnings().length, 1);
});

describe('mode = "passive"', () => {
  const shared = sharing((world) => cluster(world, { redis: false, pool: 'cookie = { mode = "passive" }' }));

  shared.fact('the node sets it, on polling and on WebSocket, and the proxy adds nothing', async ({ proxy }) => {
    const { cookies } = await openWith(proxy);
    assert.equal(cookies.length, 1);
    assert.match(cookies[0], /^io=ws[123]; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.match((await upgradeWith(proxy))['set-cookie'].join(), /^io=ws[123]; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  shared.fact('it decides the node, whatever the address', async ({ proxy, nodes }) => {
    for (const { id } of nodes) {
      assert.deepEqual([...new Set(await placesOf(proxy, `io=${id}`))], [id]);
    }
  });
});

describe('mode = "passive", the cookie being the sid as socket.io sets it', () => {
  const shared = sharing((world) => cluster(world, {
    redis: false, cookie: false, selfNamingSids: true, socketio: { cookie: true },
    pool: 'affinity = ["cookie", "source"]\ncookie = { mode = "passive" }',
  }));

  shared.fact('a sid in the cookie decides as that sid would', async ({ proxy }) => {
    const first = await (await new PollingClient(proxy.address).open()).connect();
    const home = await first.who();
    const cookie = `io=${valueOf(first.opened.headers['set-cookie'][0])}`;
    assert.equal(cookie, `io=${first.sid}`);
    // Only the cookie holds here, so it comes with every request.
    assert.deepEqual([...new Set(await placesOf(proxy, cookie, { always: true }))], [home]);
  });
});

describe('mode = "rewrite"', () => {
  const shared = sharing(async (world) => {
    const things = { heads: [] };
    const body = '0{"sid":"aaaaaaaaaaaaaaaaaaaa","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
    const script = async (connection) => {
      for (;;) {
        things.heads.push(await connection.head(60_000));
        connection.send(
          `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nSet-Cookie: io=anything; Path=/app\r\nSet-Cookie: other=1\r\n\r\n${body}`,
        );
      }
    };
    const origins = [await world.origin({ script }), await world.origin({ script })];
    things.origins = origins;
    things.proxy = await world.limpet(
      `[pool.ws]\nservers = ["ws1=${origins[0].address}", "ws2=${origins[1].address}"]\ncookie = { mode = "rewrite" }\n`,
    );
    return things;
  });

  shared.fact('the server\'s value becomes its id', async ({ proxy }) => {
    const { cookies } = await openWith(proxy);
    assert.equal(cookies.length, 2);
    assert.ok(cookies.includes('other=1'));
    assert.match(cookies.find((line) => line.startsWith('io=')), /^io=ws[12]; /);
  });

  shared.fact('it decides the server, which does not see it back', async ({ proxy, heads, origins }) => {
    const before = origins[1].connections.length;
    for (let i = 0; i < 10; i += 1) await openWith(proxy, { Cookie: 'io=ws2; a=b' }, loopback(i));
    assert.ok(heads.slice(-10).every((head) => head.headers.cookie === 'a=b'));
    const others = origins[0].seen.match(/io=ws2/);
    assert.equal(others, null);
    assert.ok(origins[1].connections.length >= Math.max(1, before));
  });
});
