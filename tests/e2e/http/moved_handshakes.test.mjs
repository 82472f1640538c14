// Handshakes that go to a second server: their bodies go with them, and the cookie names who answered.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { EchoServer } from './echo_server.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
// A head whose body the client holds back.
const post = (framing, id = 'a') => `POST ${open} HTTP/1.1\r\nHost: a\r\nCookie: io=${id}\r\nExpect: 100-continue\r\n${framing}\r\n\r\n`;

// Closes upon every open.
const closes = answering(({ target }, connection) => (target === open ? void connection.socket.destroy() : ok()));
const closesOnHeads = (connection) => {
  const more = () => { if (/^POST [^]*\r\n\r\n/.test(connection.text)) connection.destroy(); };
  connection.socket.on('data', more);
  if (/^POST/.test(connection.text)) more();
  else closes(connection);
};

async function pool(world, servers, more) {
  return world.limpet(
    `[pool.web]\nservers = [${Object.entries(servers)
      .map(([id, { address }]) => `"${id}=${address}"`)
      .join(', ')}]\nhealth = { type = "off" }\n${more}\n[proxy]\nworkers = 1\ndrain_timeout = "1s"\n`,
  );
}

describe('a POST that opens a session, whose server closes before its body has come', () => {
  const shared = sharing(async (world) => {
    const b = await EchoServer.start(world);
    const proxy = await pool(
      world,
      { a: await world.origin({ script: closesOnHeads }), b },
      'timeouts = { connect = "20s", keep_alive = "0s" }',
    );
    return { proxy, b };
  });

  for (const [name, framing, body] of [
    ['by Content-Length', 'Content-Length: 5', 'hello'],
    ['in chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ]) {
    shared.fact(`a body ${name} that comes while the second connect waits arrives with its head`, async ({ proxy, b }, world) => {
      await b.freeze();
      const moved = () => proxy.metric('limpet_retries_total', { reason: 'handshake' });
      const before = await moved();
      const client = await world.connect(proxy.address);
      client.send(post(framing));
      await until(async () => (await moved()) === before + 1, 2000, 'it is moved');
      client.send(body);
      // The one worker has dealt with it once it answers somebody who came later.
      assert.equal((await talk(proxy.address, get('/fence', 'Cookie: io=a\r\n'), { count: 1 })).answers[0].status, 200);
      b.thaw();
      const answer = await client.answer({ ms: 10_000 });
      assert.deepEqual([answer.status, answer.body.toString()], [200, `POST ${open} hello`]);
      assert.match(answer.headers['set-cookie'], /^io=b;/);
      client.send(get('/next', 'Cookie: io=a\r\n'));
      assert.equal((await client.answer()).status, 200, 'and the connection goes on');
    });
  }
});

describe('a POST that opens a session, whose body never comes', () => {
  const shared = sharing(async (world) => pool(world, {
    a: await world.origin({ script: closesOnHeads }), b: await world.origin({ script: answering() }),
  }, '[limits]\nidle_timeout = "700ms"\n'));

  for (const [id, name] of [['b', 'that stays on its first server'], ['a', 'that was moved to a second server']]) {
    shared.fact(`${name}: 408 after idle_timeout`, async (proxy, world) => {
      const client = await world.connect(proxy.address);
      client.send(post('Content-Length: 5', id));
      assert.equal((await client.answer()).status, 408);
      await client.ends();
    });
  }
});

scenario('opens at a slow server, more of them than may be moved: each cookie names the server that answered', async (world) => {
  const answers = (id, ms) => answering((request, connection) => void setTimeout(() => {
    if (!connection.ending) connection.send(ok(id));
  }, ms));
  const servers = { a: await world.origin({ script: answers('a', 600 * slowness) }) };
  for (const id of ['b', 'c']) servers[id] = await world.origin({ script: answers(id, 0) });
  const proxy = await pool(world, servers, `timeouts = { handshake = "${300 * slowness}ms" }`);
  const all = await Promise.all(Array.from({ length: 30 }, () => talk(proxy.address, get(open, 'Cookie: io=a\r\n'), { count: 1 })));
  const by = { a: 0, b: 0, c: 0 };
  for (const { answers: [{ status, headers, body }] } of all) {
    assert.equal(status, 200);
    const id = body.toString();
    by[id] += 1;
    if (id === 'a') assert.equal(headers['set-cookie'], undefined, 'its cookie was right');
    else assert.match(headers['set-cookie'], new RegExp(`^io=${id}; `));
  }
  assert.equal(by.a, 20, '10 of them were moved');
});

scenario(
  'late opens that find no other server spend nothing of what others may: one that comes when there is one is moved',
  async (world) => {
    const handshake = 200 * slowness;
    const proxy = await pool(
      world,
      { a: await world.origin(), b: await world.origin({ script: answering(() => ok('b')) }) },
      `timeouts = { handshake = "${handshake}ms", response = "${10 * handshake}ms" }`,
    );
    assert.equal((await proxy.admin('/pools/web/servers/b/drain', { method: 'POST' })).status, 200);
    const first = await Promise.all(Array.from({ length: 12 }, () => world.connect(proxy.address)));
    first.forEach((client) => client.send(get(open, 'Cookie: io=a\r\n')));
    await holds(() => first.every((client) => !client.received.length), 2 * handshake, 'they wait on where they are');
    assert.equal((await proxy.admin('/pools/web/servers/b/ready', { method: 'POST' })).status, 200);
    const {
      answers: [{ status, body }],
    } = await talk(proxy.address, get(open, 'Cookie: io=a\r\n'), { count: 1 });
    assert.deepEqual([status, body.toString()], [200, 'b']);
  },
);
