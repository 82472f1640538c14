// Pipelined input: what comes behind a request waits for its turn, whole, and costs no more than it must.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { httpServer, residentBytes } from './bulk.mjs';
import { EchoServer } from './echo_server.mjs';
import { Front } from './front.mjs';
import { answersIn } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade } from './websocket.mjs';

const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (framing) => `POST /late HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
const oneWorker = '[proxy]\nworkers = 1\ndrain_timeout = "1s"\n';

describe('behind a request that is answered, one whose connect waits, and then more bytes', () => {
  // What is below /late goes to a server that has stopped to accept.
  const shared = sharing(async (world) => {
    const late = await EchoServer.start(world);
    const own = 'health = { type = "off" }\ncookie = { mode = "off" }\n';
    const front = await Front.start(world, {
      pool: own,
      more: `[pool.late]\nservers = ["b=${late.address}"]\n${own}timeouts = { connect = "20s", keep_alive = "0s" }\n`
        + `[[route]]\npool = "web"\n[[route]]\npath = "/late"\npool = "late"\n${oneWorker}`,
    });
    return { front, late };
  });

  // The client once `second` waits for its server and `rest` has come behind it.
  const waiting = async ({ front, late }, world, second, rest) => {
    await late.freeze();
    const connects = () => front.proxy.metric('limpet_upstream_connects_total');
    const reused = () => front.proxy.metric('limpet_upstream_reused_total');
    const before = await connects() + await reused();
    const client = await world.connect(front.address);
    client.send(get('/first') + second);
    assert.equal((await client.answer()).status, 200);
    await until(async () => await connects() + await reused() === before + 2, 2000, 'the second connect has begun');
    client.send(rest);
    // The one worker has dealt with those bytes once it answers somebody who came later.
    assert.equal((await talk(front.address, get('/fence'), { count: 1 })).answers[0].status, 200);
    late.thaw();
    return client;
  };

  for (const [name, second, rest] of [
    ['by Content-Length', `${post('Content-Length: 10')}hello`, 'WORLD'],
    ['in chunks', `${post('Transfer-Encoding: chunked')}5\r\nhello\r\n`, '5\r\nWORLD\r\n0\r\n\r\n'],
    ['that is yet to come', post('Content-Length: 10'), 'helloWORLD'],
  ]) {
    shared.fact(`a body ${name} arrives whole`, async (things, world) => {
      const client = await waiting(things, world, second, rest);
      const answer = await client.answer({ ms: 10_000 });
      assert.deepEqual([answer.status, answer.body.toString()], [200, 'POST /late helloWORLD']);
      client.send(get('/next'));
      assert.equal((await client.answer()).body.toString(), 'ok', 'and the connection goes on');
    });
  }

  shared.fact('a WebSocket handshake becomes a tunnel, with every byte in order', async (things, world) => {
    const client = await waiting(things, world, `${upgrade({ target: '/late' })}fir`, 'st');
    assert.equal((await client.head(10_000)).status, 101);
    client.send(' frame');
    assert.equal((await client.bytes(11)).toString(), 'first frame');
  });

  shared.fact('a third request is answered after the second', async (things, world) => {
    const client = await waiting(things, world, get('/late/2'), get('/third'));
    assert.equal((await client.answer({ ms: 10_000 })).body.toString(), 'GET /late/2 ');
    assert.equal((await client.answer()).body.toString(), 'ok');
  });
});

scenario('a client that sends the first bytes of the next head with each request costs no memory', { seconds: 60 }, async (world) => {
  const server = await httpServer(world, (request, response) => response.end('ok'));
  const proxy = await world.limpet(`[pool.web]\nservers = ["a=${server.at}"]\n${oneWorker}[log]\naccess = "off"\n`);
  const head = get('/', `X-Pad: ${'p'.repeat(4096)}\r\n`);
  const client = await world.connect(proxy.address);
  // Sends each request as soon as the answer to the one before is complete.
  const ask = (count) => new Promise((resolve, reject) => {
    let left = count;
    const more = () => {
      const { answers, rest } = answersIn(client.received);
      client.received = rest;
      left -= answers.length;
      if (answers.length && left > 0) client.send(head.slice(20) + head.slice(0, 20));
      if (left === 0) resolve(client.socket.off('data', more));
    };
    client.socket.on('data', more).once('close', () => reject(new Error(`closed with ${left} to come`)));
    client.send(head.slice(20) + head.slice(0, 20));
  });
  client.send(head.slice(0, 20));
  await ask(100);
  const before = await residentBytes(proxy.pid);
  await ask(4000);
  const grown = await residentBytes(proxy.pid) - before;
  // A sanitizer keeps what was freed.
  if (slowness === 1) assert.ok(grown < 4 << 20, `${grown} bytes more after ${4000 * head.length} were sent`);
});
