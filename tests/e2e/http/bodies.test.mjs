// Bodies both ways: framing, trailers, Expect, bodiless answers, HTTP/1.0 clients.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { ok } from './requests.mjs';
import { talk } from './talk.mjs';

const ask = (target, { method = 'GET', version = 'HTTP/1.1', fields = '' } = {}) =>
  `${method} ${target} ${version}\r\nHost: a\r\n${fields}\r\n`;
const post = (framing, body, target = '/') => ask(target, { method: 'POST', fields: `${framing}\r\n` }) + body;

describe('bodies of requests', () => {
  const shared = sharing((world) => Front.start(world));

  for (const size of [0, 1, 1000, 100_000]) {
    shared.fact(`${size} bytes by Content-Length`, async (front) => {
      const body = 'b'.repeat(size);
      const { request } = await front.passes(post(`Content-Length: ${size}`, body));
      assert.equal(request.headers['content-length'], String(size));
      assert.equal(request.headers['transfer-encoding'], undefined);
      assert.equal(request.body.toString(), body);
    });
  }

  shared.fact('chunks stay chunks, without their extensions', async (front) => {
    const { request } = await front.passes(post('Transfer-Encoding: chunked', '5;name="value"\r\nhello\r\n6\r\n world\r\n0;last\r\n\r\n'));
    assert.equal(request.headers['transfer-encoding'], 'chunked');
    assert.equal(request.headers['content-length'], undefined);
    assert.equal(request.body.toString(), 'hello world');
    assert.doesNotMatch(front.origin.seen, /name="value"|last/);
  });

  shared.fact('an empty chunked body', async (front) => {
    const { request } = await front.passes(post('Transfer-Encoding: chunked', '0\r\n\r\n'));
    assert.equal(request.body.length, 0);
    assert.equal(request.headers['transfer-encoding'], 'chunked');
  });

  shared.fact('all 256 bytes, whatever they look like', async (front) => {
    const bytes = String.fromCharCode(...Array(256).keys());
    const { request } = await front.passes(post('Content-Length: 512', bytes + bytes));
    assert.equal(request.body.toString('latin1'), bytes + bytes);
  });

  shared.fact('trailers arrive, with the Trailer field that announced them', async (front) => {
    const { request } = await front.passes(
      post('Transfer-Encoding: chunked\r\nTrailer: X-Digest', '5\r\nhello\r\n0\r\nX-Digest: \tabc \r\nX-Two: 2\r\n\r\n'),
    );
    assert.equal(request.headers.trailer, 'X-Digest');
    assert.equal(request.trailers, 'X-Digest: abc\r\nX-Two: 2');
  });

  shared.fact('a body is on its way before it is complete', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(post('Content-Length: 10', 'first', '/streamed'));
    await until(() => front.origin.seen.includes('first'), 2000, 'its first half arrives');
    client.send('other');
    assert.equal((await client.answer()).status, 200);
    assert.equal(front.requests.at(-1).body.toString(), 'firstother');
  });

  shared.fact('a client that goes in the middle of its body takes the server\'s request with it', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(post('Content-Length: 10', 'gone1'));
    await until(() => front.origin.connections.some((one) => one.text.includes('gone1')), 2000, 'its first half arrives');
    const open = front.origin.connections.find((one) => one.text.includes('gone1'));
    client.destroy();
    await until(() => open.ending, 2000, 'the server\'s connection is closed');
    assert.doesNotMatch(open.text, /gone1[^]/);
  });
});

describe('answers to HTTP/1.1', () => {
  const replies = {
    '/sized': ok('hello'),
    '/empty': ok(''),
    '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n',
    '/trailers':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Digest\r\n\r\n5\r\nhello\r\n0\r\nX-Digest: abc\r\n'
        + 'Server-Timing: t;dur=1\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\nX-Kept: 1\r\n\r\n',
    '/204-0': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 1234\r\n\r\n',
    '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
    '/head-chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '/103': `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${ok('hello')}`,
    '/1xx': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${ok('hello')}`,
    '/404': 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
    '/500': 'HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno',
    '/503': 'HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nno',
  };
  const shared = sharing((world) => Front.start(world, { reply: ({ target }) => replies[target] ?? ok() }));

  // An answer and the one to a request after it on the same connection: framing that is off by a byte shows there.
  const pair = async (front, target, method = 'GET') => {
    const { answers, rest } = await talk(front.address, ask(target, { method }) + ask('/next'), { count: 2, to: [method] });
    const finals = answers.filter(({ status }) => status >= 200);
    assert.equal(finals[1].body.toString(), 'ok');
    assert.equal(rest.length, 0);
    return { answer: finals[0], interim: answers.filter(({ status }) => status < 200) };
  };

  for (const [target, body] of [
    ['/sized', 'hello'], ['/empty', ''], ['/chunked', 'hello!'], ['/404', 'no'], ['/500', 'no'], ['/503', 'no'],
  ]) {
    shared.fact(`${target} is relayed`, async (front) => {
      const { answer } = await pair(front, target);
      assert.equal(answer.line, replies[target].split('\r\n')[0]);
      assert.equal(answer.body.toString(), body);
      assert.equal((answer.headers['content-length'] === undefined), target === '/chunked');
    });
  }

  shared.fact('a server\'s own 503 keeps its Retry-After', async (front) => {
    assert.equal((await pair(front, '/503')).answer.headers['retry-after'], '7');
  });

  shared.fact('trailers arrive', async (front) => {
    const { answer } = await pair(front, '/trailers');
    assert.equal(answer.headers.trailer, 'X-Digest');
    assert.equal(answer.trailers, 'X-Digest: abc\r\nServer-Timing: t;dur=1');
  });

  for (const [target, method, length] of [
    ['/204', 'GET', undefined], ['/204-0', 'GET', undefined], ['/304', 'GET', '1234'], ['/head', 'HEAD', '1234'],
    ['/304', 'HEAD', '1234'], ['/head-chunked', 'HEAD', undefined], ['/204', 'HEAD', undefined],
  ]) {
    shared.fact(`${method} ${target} has no body`, async (front) => {
      const connections = front.origin.connections.length;
      const { answer } = await pair(front, target, method);
      assert.equal(answer.line, replies[target].split('\r\n')[0]);
      assert.equal(answer.body.length, 0);
      if (length) assert.equal(answer.headers['content-length'], length);
      assert.ok(front.origin.connections.length <= connections + 1);
    });
  }

  shared.fact('103 passes, with its fields', async (front) => {
    const { interim, answer } = await pair(front, '/103');
    assert.deepEqual(interim.map(({ line, headers }) => [line, headers.link]), [['HTTP/1.1 103 Early Hints', '</a.css>; rel=preload']]);
    assert.equal(answer.body.toString(), 'hello');
  });

  shared.fact('several 1xx pass in order', async (front) => {
    const { interim } = await pair(front, '/1xx');
    assert.deepEqual(interim.map(({ status }) => status), [100, 102, 103]);
  });

  shared.fact('no 1xx for HTTP/1.0', async (front) => {
    const { answers } = await talk(front.address, ask('/1xx', { version: 'HTTP/1.0' }));
    assert.deepEqual(answers.map(({ status }) => status), [200]);
    assert.equal(answers[0].body.toString(), 'hello');
  });

  shared.fact('HTTP/1.0 is answered and closed', async (front) => {
    const { answers: [answer], ending } = await talk(front.address, ask('/sized', { version: 'HTTP/1.0' }));
    assert.equal(answer.body.toString(), 'hello');
    assert.notEqual(ending, 'open');
  });

  shared.fact('HTTP/1.0 with keep-alive is told so and kept', async (front) => {
    const fields = 'Connection: Keep-Alive\r\n';
    const { answers } = await talk(front.address, ask('/sized', { version: 'HTTP/1.0', fields }) + ask('/sized', { version: 'HTTP/1.0' }));
    assert.deepEqual(answers.map(({ body }) => body.toString()), ['hello', 'hello']);
    assert.match(answers[0].headers.connection, /keep-alive/i);
    assert.doesNotMatch(answers[1].headers.connection ?? '', /keep-alive/i);
  });

  shared.fact('a chunked answer to HTTP/1.0 loses its chunks and ends with the connection', async (front) => {
    for (const fields of ['', 'Connection: keep-alive\r\n']) {
      const { text, ending } = await talk(front.address, ask('/chunked', { version: 'HTTP/1.0', fields }));
      assert.doesNotMatch(text, /Transfer-Encoding|Content-Length|Keep-Alive/i);
      assert.match(text, /\r\n\r\nhello!$/);
      assert.equal(ending, 'fin');
    }
  });

  shared.fact('Connection: close of the client is kept', async (front) => {
    const { answers, ending } = await talk(front.address, ask('/sized', { fields: 'Connection: close\r\n' }) + ask('/next'));
    assert.equal(answers.length, 1);
    assert.match(answers[0].headers.connection, /close/);
    assert.equal(ending, 'fin');
  });
});

describe('Expect: 100-continue', () => {
  const head = (target, length = 5) => ask(target, { method: 'POST', fields: `Expect: 100-Continue\r\nContent-Length: ${length}\r\n` });
  const shared = sharing((world) => {
    const front = Front.start(world, {
      script: (connection) => {
        const play = async () => {
          for (;;) {
            const { target, headers } = await connection.head(60_000);
            if (target.startsWith('/sentinel')) { connection.send(ok()); continue; }
            if (headers.expect === undefined) { connection.send(ok(String(headers.expect))); continue; }
            if (target === '/refuses') { connection.send('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'); continue; }
            connection.send('HTTP/1.1 100 Continue\r\n\r\n');
            connection.send(ok((await connection.bytes(Number(headers['content-length']))).toString()));
          }
        };
        return play();
      },
    });
    return front;
  });

  shared.fact('it is forwarded, 100 is passed, then the body goes', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(head('/wants'));
    assert.equal((await client.answer({ interim: true })).line, 'HTTP/1.1 100 Continue');
    assert.match(front.origin.seen, /POST \/wants [^]*Expect: 100-continue\r\n/i);
    assert.doesNotMatch(front.origin.seen, /hello/);
    client.send('hello');
    const answer = await client.answer();
    assert.equal(answer.body.toString(), 'hello');
  });

  shared.fact('a client that does not wait for it', async (front) => {
    const { answers } = await talk(front.address, head('/wants') + 'hello', { count: 1 });
    assert.deepEqual(answers.map(({ status }) => status), [100, 200]);
    assert.equal(answers[1].body.toString(), 'hello');
  });

  shared.fact('a final answer without 100: relayed, and the body that never came is no request', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(head('/refuses', 40));
    const answer = await client.answer();
    assert.equal(answer.status, 403);
    assert.match(answer.headers.connection, /close/);
    client.send('GET /body-as-request HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.ends();
    assert.equal(client.text, '');
    assert.doesNotMatch(front.origin.seen, /body-as-request/);
  });

  shared.fact('HTTP/1.0 cannot expect', async (front) => {
    const { answers } = await talk(front.address, ask('/', { version: 'HTTP/1.0', fields: 'Expect: 100-continue\r\n' }));
    assert.deepEqual(answers.map(({ body }) => body.toString()), ['undefined']);
  });
});

describe('an answer that comes before the body is complete', () => {
  const shared = sharing((world) => Front.start(world, {
    script: async (connection) => {
      for (;;) {
        const { method } = await connection.head(60_000);
        connection.send(method === 'POST' ? 'HTTP/1.1 413 Enough\r\nContent-Length: 2\r\n\r\nno' : ok());
      }
    },
  }));

  shared.fact('is relayed; nothing that follows counts as a request', async (front) => {
    const { answers } = await talk(front.address, post('Content-Length: 1000000', 'b'.repeat(1000)));
    assert.deepEqual(answers.map(({ status }) => status), [413]);
    assert.match(answers[0].headers.connection, /close/);
  });

  shared.fact('reaches a client that goes on sending', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(post('Content-Length: 50000000', Buffer.alloc(4 << 20, 98).toString('latin1')));
    assert.equal((await client.answer()).status, 413);
  });
});
