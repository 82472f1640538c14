// Bodies of no bytes: a request with one is complete with its head.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { slowness, until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { ok } from './requests.mjs';
import { talk } from './talk.mjs';

const response = 500 * slowness;
const ask = (target, method, framing) => `${method} ${target} HTTP/1.1\r\nHost: a\r\n${framing}\r\n`;
const sized = 'Content-Length: 0\r\n';
const engine = '?EIO=4&transport=polling';

for (const [name, method, framing, chunks = ''] of [
  ['a POST with Content-Length: 0', 'POST', sized],
  ['a GET with Content-Length: 0', 'GET', sized],
  ['a POST with no field about a body', 'POST', ''],
  ['a POST with no chunk but the last', 'POST', 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n'],
]) {
  describe(name, () => {
    const shared = sharing((world) => Front.start(world, {
      pool: `[pool.web.timeouts]\nresponse = "${response}ms"\nhandshake = "${response}ms"\n`,
      more: '[proxy]\nworkers = 1\ndrain_timeout = "1s"\n',
      reply: ({ target }) => (target.startsWith('/silent') ? undefined : ok(target)),
    }));
    const bytes = (target) => ask(target, method, framing) + chunks;

    shared.fact('is answered, and the client\'s connection goes on', async ({ address }, world) => {
      const client = await world.connect(address);
      for (const one of [bytes('/1'), bytes('/2'), ask('/3', 'GET', '')]) {
        const { headers, body } = await client.send(one).answer();
        assert.equal(body.toString(), one.split(' ')[1]);
        assert.doesNotMatch(headers.connection ?? '', /close/);
      }
    });

    shared.fact('is answered, and what was sent behind it too', async ({ address }) => {
      const { answers } = await talk(address, bytes('/1') + bytes('/2') + ask('/3', 'GET', ''), { count: 3 });
      assert.deepEqual(answers.map((answer) => answer.body.toString()), ['/1', '/2', '/3']);
    });

    shared.fact('leaves the server\'s connection for the next request', async (front) => {
      await talk(front.address, bytes('/first'), { count: 1 });
      const before = front.origin.connections.length;
      for (let i = 0; i < 3; i += 1) await talk(front.address, bytes(`/${i}`), { count: 1 });
      assert.equal(front.origin.connections.length, before);
    });

    shared.fact('is answered though the client has shut its side', async ({ address }) => {
      const { answers, ending } = await talk(address, bytes('/half'), { halfClose: true });
      assert.deepEqual([answers.map((answer) => answer.body.toString()), ending], [['/half'], 'fin']);
    });

    for (const [what, target] of [
      ['a server', '/silent'],
      ['the server of an open', `/silent/${engine}`],
      ['the server of a session', `/silent/${engine}&sid=abc`],
    ]) {
      shared.fact(`${what} that stays silent: 504 after \`response\`, and the connection goes on`, async (front, world) => {
        const client = await world.connect(front.address);
        const begun = performance.now();
        assert.equal((await client.send(bytes(target)).answer()).status, 504);
        const ms = performance.now() - begun;
        assert.equal((await client.send(bytes('/next')).answer()).status, 200);
        assert.ok(ms > response - 10 && ms < 6 * response, `after ${ms} ms`);
        const { connection } = front.requests.find((one) => one.target === target);
        await until(() => connection.ending, 2000, 'the server\'s connection is closed');
      });
    }
  });
}
