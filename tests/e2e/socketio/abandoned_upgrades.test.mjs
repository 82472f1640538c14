// Transport upgrades that clients begin and give up: the session goes on by polling, held by its sid, and its entry in
// the table goes when the session has.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { answering, ok } from '../http/requests.mjs';
import { talk } from '../http/talk.mjs';
import { upgrade, webSockets } from '../http/websocket.mjs';
import { holds, until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { loopback } from './cluster.mjs';

const polling = '/socket.io/?EIO=4&transport=polling';
const get = (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const life = 2000;

// Frames as a client sends them: masked, with a mask of zeros.
const frame = (code, payload) =>
  Buffer.concat([Buffer.from([0x80 | code, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload, 'latin1')]);
const text = (payload) => frame(1, payload);
const close = (payload = '') => frame(8, payload);

let sessions = 0;
// A server that opens sessions, accepts their upgrades, and answers everything else with its id.
function server(id) {
  const plain = answering(({ target }) => {
    if (target !== polling) return ok(id);
    // As much of it as the access log shows is unique.
    const sid = `${String((sessions += 1)).padStart(6, '0')}${'A'.repeat(14)}`;
    return ok(
      `0${JSON.stringify({ sid, upgrades: ['websocket'], pingInterval: life / 2, pingTimeout: life / 2, maxPayload: 1_000_000 })}`,
      `X-Server: ${id}\r\n`,
    );
  });
  const upgrades = webSockets();
  return (connection) => (/^upgrade: websocket/im.test(connection.text) ? upgrades(connection) : plain(connection));
}

describe('a transport upgrade that was given up', () => {
  const shared = sharing(async (world) => {
    const servers = await Promise.all(['a', 'b'].map(async (id) => `"${id}=${(await world.origin({ script: server(id) })).address}"`));
    return world.limpet(`[pool.web]\nservers = [${servers.join(', ')}]\naffinity = ["sid", "source"]\n`);
  });
  const line = (proxy, sid, kind) =>
    until(
      () => proxy.stdout.split('\n').find((one) => one.includes(` kind=${kind} `) && one.includes(` sid=${sid.slice(0, 6)} `)),
      3000,
      `a ${kind}'s line of ${sid}`,
    );

  // A session whose upgrade brought `frames` and then the end.
  const session = async (proxy, world, frames, localAddress) => {
    const { answers: [{ headers, body }] } = await talk(proxy.address, get(polling), { count: 1, localAddress });
    const { sid } = JSON.parse(body.toString().slice(1));
    const client = await world.connect(proxy.address, { localAddress });
    client.send(upgrade({ target: `/socket.io/?EIO=4&transport=websocket&sid=${sid}` }));
    assert.equal((await client.head()).status, 101);
    for (const one of frames) client.send(one);
    client.halfClose();
    assert.match(await line(proxy, sid, 'tunnel'), / by=learned /);
    return { sid, home: headers['x-server'] };
  };
  const poll = async (proxy, sid, localAddress) => {
    const { answers: [{ status, body }] } = await talk(proxy.address, get(`${polling}&sid=${sid}`), { count: 1, localAddress });
    assert.equal(status, 200);
    const [, by] = (await line(proxy, sid, 'request')).match(/ by=(\S+) /);
    return { by, server: body.toString() };
  };

  for (const [name, frames] of [
    ['without a byte', []],
    ['after its probe', [text('2probe')]],
    ['after its probe, with a Close frame', [text('2probe'), close()]],
    ['after its probe, with a Close frame that says 1000', [text('2probe'), close('\x03\xe8')]],
  ]) {
    shared.fact(`${name}: its session is found by its sid, from whatever address`, async (proxy, world) => {
      for (let i = 0; i < 6; i += 1) {
        const { sid, home } = await session(proxy, world, frames, loopback(i));
        assert.deepEqual(await poll(proxy, sid, loopback(500 + i)), { by: 'learned', server: home });
      }
    });
  }

  shared.fact('is forgotten when the session has lived its time', async (proxy, world) => {
    const all = [];
    for (const frames of [[], [text('2probe')], [text('2probe'), close('\x03\xe8')]])
      all.push(await session(proxy, world, frames, loopback(1)));
    await holds(() => true, life + 200);
    for (const { sid } of all) assert.equal((await poll(proxy, sid, loopback(501))).by, 'source');
  });

  shared.fact('one that was finished: its session ends with the tunnel', async (proxy, world) => {
    const { sid } = await session(proxy, world, [text('2probe'), text('5')], loopback(2));
    assert.equal((await poll(proxy, sid, loopback(502))).by, 'source');
  });
});
