// What the state of a server means for its clients: strict cookies, polls under way, readiness.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade } from './websocket.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const fast = `interval = "200ms", fast_interval = "100ms", timeout = "${300 * slowness}ms", slow_start = "0s"`;
// It ends in the tag of server "a".
const poll = `${open}&sid=AAAAAAAAAAAA5sYyth6W`;

// Servers `a` and `b` that answer with their id, `a` only while `things.hung` is false; polls are never answered.
async function pair(world, { health = `{ ${fast} }`, pool = '' } = {}) {
  const things = { hung: false, polls: [] };
  for (const id of ['a', 'b']) {
    things[id] = await world.origin({ script: answering(({ target }, connection) => {
      if (target === poll) return void things.polls.push({ id, connection });
      return id === 'a' && things.hung ? undefined : ok(id);
    }) });
    things[id].health = (connection) => { if (id === 'b' || !things.hung) connection.send(ok()); };
  }
  things.proxy = await world.limpet(
    `[pool.web]\nservers = ["a=${things.a.address}", "b=${things.b.address}"]\nhealth = ${health}\n${pool}`,
  );
  return things;
}

const strictly = [['an open', get(open, 'Cookie: io=a\r\n')], ['a WebSocket', upgrade({ Cookie: 'io=a' })]];

describe('on_lost = "strict", and a cookie of a server', () => {
  const isLost = async (proxy, bytes) => {
    const { answers: [answer] } = await talk(proxy.address, bytes, { count: 1 });
    assert.equal(answer.status, 503);
    assert.match(answer.headers['retry-after'], /^\d+$/);
  };

  for (const [name, bytes] of strictly) {
    scenario(`that refuses connects: ${name} gets 503, and nobody else is asked`, async (world) => {
      const { a, b, proxy } = await pair(world, { health: '{ type = "off" }', pool: 'on_lost = "strict"\n' });
      await a.pause();
      for (let i = 0; i < 3; i += 1) await isLost(proxy, bytes);
      assert.equal(b.seen, '');
    });

    scenario(`that hangs: ${name} gets 503 as soon as that is known, and while it is`, async (world) => {
      const things = await pair(world, { pool: 'on_lost = "strict"\ntimeouts = { handshake = "20s", response = "30s" }\n' });
      things.hung = true;
      // The first one may have to wait until a probe is not answered.
      await isLost(things.proxy, bytes);
      await isLost(things.proxy, bytes);
      await things.proxy.becomes('web', 'a', 'down');
      await isLost(things.proxy, bytes);
      assert.equal(things.b.seen, '');
    });
  }
});

describe('a poll that waits on a server that goes down', () => {
  for (const [onDown, outcome] of [['close', 'is told to begin anew, at once'], ['keep', 'goes on waiting']]) {
    scenario(`with on_down = "${onDown}": ${outcome}`, async (world) => {
      const things = await pair(world, { health: `{ ${fast}, on_down = "${onDown}" }`, pool: 'timeouts = { response = "60s" }\n' });
      const client = await world.connect(things.proxy.address);
      client.send(get(poll));
      await until(() => things.polls.length, 2000, 'it waits');
      things.hung = true;
      await things.proxy.becomes('web', 'a', 'down');
      if (onDown === 'keep') {
        await holds(() => !client.received.length && !client.ending, 300, 'nothing happens to it');
        things.polls[0].connection.send(ok('late'));
        assert.equal((await client.answer()).body.toString(), 'late');
        return;
      }
      const { status, body, headers } = await client.answer({ ms: 1000 });
      assert.deepEqual([status, body.toString()], [400, '{"code":1,"message":"Session ID unknown"}']);
      assert.match(headers['content-type'], /^application\/json/);
      await until(() => things.polls[0].connection.ending, 2000, 'the server\'s connection is closed');
      client.send(get('/next'));
      assert.equal((await client.answer()).body.toString(), 'b', 'and the connection goes on');
    });
  }
});

describe('readiness', () => {
  const shared = sharing(async (world) => {
    const origin = await world.origin({ script: answering() });
    origin.health = 503;
    const proxy = await world.limpet(
      `[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n[pool.web]\nservers = ["a=${origin.address}"]\nhealth = { ${fast} }\n`,
    );
    const both = async () => [
      (await proxy.admin('/ready')).status,
      (await talk(proxy.address, get('/ready'), { count: 1 })).answers[0].status,
    ];
    return { origin, proxy, both };
  });

  shared.fact('is 200 while all servers merely refuse, for they serve those that they have', async ({ proxy, both }) => {
    await proxy.becomes('web', 'a', 'refusing');
    assert.deepEqual(await both(), [200, 200]);
  });

  shared.fact('is 503 while all are down, and 200 again with the first that is not', async ({ origin, proxy, both }) => {
    await origin.pause();
    await proxy.becomes('web', 'a', 'down');
    assert.deepEqual(await both(), [503, 503]);
    await origin.resume();
    await proxy.becomes('web', 'a', 'refusing');
    assert.deepEqual(await both(), [200, 200]);
  });
});
