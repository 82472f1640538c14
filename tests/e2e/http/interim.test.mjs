// Interim answers (1xx) of servers: more of them than a client takes, and the time that they give a request.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { answersIn, ok } from './requests.mjs';
import { talk } from './talk.mjs';

const get = (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

// Sees no byte come for a while, though it reads.
async function drained(client) {
  for (let before = -1; before !== client.received.length;) {
    before = client.received.length;
    await holds(() => true, 100);
  }
}

scenario(
  'more 1xx than a client takes, then the final answer just as it takes them: all arrive, and the connection goes on',
  async (world) => {
    // More than the client's socket holds while nobody reads, less than twice as much: the rest, and the answer behind
    // it, go out in one write.
    const hints = 14;
    const size = Math.ceil((Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8')) + 110_000) / hints);
    const hint = `HTTP/1.1 103 Early Hints\r\nLink: ${'l'.repeat(size)}\r\n\r\n`;
    const front = await Front.start(world, {
      reply: ({ target }) => (target === '/hints' ? hint.repeat(hints) : ok()),
      more: `[[listener]]\naddress = "unix:${world.dir}/front.sock"\n[limits]\nhead_bytes = "64KiB"\n[proxy]\n`
        + `workers = 1\ndrain_timeout = "1s"\n`,
    });
    const client = await world.connect(front.address);
    client.socket.pause();
    client.send(get('/hints'));
    const { connection: server } = await until(() => front.requests[0], 2000, 'it arrives');
    await until(() => server.socket.writableLength === 0, 2000, 'all are sent');
    // Each of these is a turn of the one worker, in which it reads on.
    for (let i = 0; i < 10; i += 1) assert.equal((await talk(front.address, get('/fence'), { count: 1 })).answers[0].status, 200);

    // Both at once: the answer is there, and there is room for it.
    await front.proxy.suspend();
    await new Promise((sent) => { server.socket.write(ok('final'), sent); });
    client.socket.resume();
    await drained(client);
    assert.ok(client.received.length < hints * hint.length, 'some of them wait in limpet');
    front.proxy.signal('SIGCONT');

    await client.reads('final');
    const { answers, rest } = answersIn(client.received);
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.link?.length]),
      [...Array(hints).fill([103, size]), [200, undefined]],
    );
    client.received = rest;
    client.send(get('/next'));
    assert.equal((await client.answer()).body.toString(), 'ok');
  },
);

const response = 500 * slowness;

describe('`response` and interim answers', () => {
  const shared = sharing((world) => Front.start(world, {
    pool: `[pool.web.timeouts]\nresponse = "${response}ms"\n`,
    script: async (connection) => {
      for (;;) {
        const { target, headers } = await connection.head(60_000);
        if (headers.expect) {
          connection.send('HTTP/1.1 100 Continue\r\n\r\n');
          connection.send(ok((await connection.bytes(Number(headers['content-length']), 60_000)).toString()));
          continue;
        }
        const [, count, last] = target.match(/^\/(\d)(.*)$/) ?? [];
        for (let i = 0; i < count; i += 1) {
          connection.send('HTTP/1.1 102 Processing\r\n\r\n');
          await holds(() => !connection.ending, response * 0.6);
        }
        if (last !== '-then-silence') connection.send(ok());
      }
    },
  }));

  shared.fact('a body that takes longer than `response` after its 100 is not cut', async ({ address }, world) => {
    const client = await world.connect(address);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n');
    assert.equal((await client.answer({ interim: true })).status, 100);
    for (const byte of '0123456789') {
      await holds(() => !client.ending && !client.received.length, response / 4, 'it is not answered before its end');
      client.send(byte);
    }
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.body.toString()], [200, '0123456789']);
  });

  shared.fact('102s, each within `response`, keep a request alive', async ({ address }) => {
    const { answers } = await talk(address, get('/4'), { count: 1 });
    assert.deepEqual(answers.map(({ status }) => status), [102, 102, 102, 102, 200]);
  });

  shared.fact('silence of `response` after a 102 is 504', async ({ address }) => {
    const { answers } = await talk(address, get('/1-then-silence'), { count: 1 });
    assert.deepEqual(answers.map(({ status }) => status), [102, 504]);
  });
});
