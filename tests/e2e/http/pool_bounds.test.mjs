// max_connections of a pool: what counts against it, and that it is never more.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe('in a pool of one place', () => {
  const shared = sharing(async (world) => {
    const plain = answering(() => ok('b'));
    const tunnels = webSockets();
    const b = await world.origin({
      script: (connection) => (/^upgrade: websocket/im.test(connection.text) ? tunnels(connection) : plain(connection)),
    });
    return world.limpet(
      `[pool.web]\nservers = ["dead=127.0.0.1:1", "b=${b.address}"]\nhealth = { type = "off" }\nmax_connections = 1\n`,
    );
  });

  for (const [name, bytes, status] of [
    ['an open', get(open, 'Cookie: io=dead\r\n'), 200], ['a plain request', get('/', 'Cookie: io=dead\r\n'), 200],
    ['a WebSocket', upgrade({ Cookie: 'io=dead' }), 101],
  ]) {
    shared.fact(`${name} whose connect fails takes no second place for its second try: ${status}`, async (proxy) => {
      await until(async () => (await proxy.metric('limpet_tunnels')) === 0, 2000, 'the place is free');
      const { answers: [answer] } = await talk(proxy.address, bytes, { count: 1 });
      assert.equal(answer.status, status);
    });
  }

  shared.fact('a tunnel holds it, and requests of sessions need none', async (proxy, world) => {
    await until(async () => (await proxy.metric('limpet_tunnels')) === 0, 2000, 'the place is free');
    const client = (await world.connect(proxy.address)).send(upgrade({ Cookie: 'io=b' }));
    assert.equal((await client.head()).status, 101);
    const status = async (target) => (await talk(proxy.address, get(target, 'Cookie: io=b\r\n'), { count: 1 })).answers[0].status;
    assert.deepEqual([await status(open), await status('/'), await status(`${open}&sid=AAAAAAAAAAAAAAAAAAAA`)], [503, 503, 200]);
  });
});

scenario(
  'of forty requests at once, on several workers, never more than five reach a pool of five places',
  { seconds: 60 },
  async (world) => {
    const most = 5;
    let now = 0;
    let peak = 0;
    const waiting = [];
    const origin = await world.origin({
      script: answering((request, connection) => {
        now += 1;
        peak = Math.max(peak, now);
        waiting.push(connection);
        return undefined;
      }),
    });
    const proxy = await world.limpet(
      `[pool.web]\nservers = ["a=${origin.address}"]\nmax_connections = ${most}\n[proxy]\nworkers = 8\n`
        + `drain_timeout = "1s"\n[log]\naccess = "off"\n`,
    );
    for (let round = 0; round < 40; round += 1) {
      const clients = await Promise.all(Array.from({ length: 40 }, () => world.connect(proxy.address)));
      for (const client of clients) client.send(get('/'));
      const refused = () => clients.filter(({ text }) => text.startsWith('HTTP/1.1 503 '));
      await until(() => refused().length + waiting.length === clients.length, 5000, 'each waits or is refused');
      assert.ok(waiting.length > 0, 'some are let in');
      now -= waiting.length;
      waiting.splice(0).forEach((one) => one.send(ok()));
      await until(() => clients.every(({ text }) => text.startsWith('HTTP/1.1 ')), 2000, 'all are answered');
      clients.forEach((client) => client.destroy());
    }
    assert.ok(peak <= most, `${peak} at once`);
  },
);
