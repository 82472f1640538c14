// Limits of heads and bodies, their deadlines, and what an answer of the proxy's own looks like.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front, accountFor, refusalTable } from './front.mjs';
import { talk } from './talk.mjs';

const sized = (total) => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-Pad: \r\n\r\n';
  return head.replace('X-Pad: ', `X-Pad: ${'p'.repeat(total - head.length)}`);
};
const withFields = (count) => `GET / HTTP/1.1\r\nHost: a\r\n${Array.from({ length: count - 1 }, (_, i) => `X-${i}: 1\r\n`).join('')}\r\n`;
const withTarget = (length) => `GET /${'t'.repeat(length - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('sizes by default', () => {
  const shared = sharing((world) => Front.start(world));

  shared.fact('a head of 16 KiB goes through', (front) => front.passes(sized(16 * 1024)));
  shared.fact('a head of 16 KiB after an empty line goes through', (front) => front.passes(`\r\n${sized(16 * 1024)}`));
  shared.fact('100 fields go through', (front) => front.passes(withFields(100)));
  shared.fact('a target of 8 KiB goes through', async (front) => {
    const { request } = await front.passes(withTarget(8 * 1024));
    assert.equal(request.target.length, 8 * 1024);
  });

  refusalTable(shared, { status: 431, reason: 'head_too_large' }, [
    ['a head of a byte more', sized(16 * 1024 + 1)],
    ['a field of 1 MiB', sized(1 << 20)],
    ['a name that does not end', `GET / HTTP/1.1\r\nHost: a\r\n${'n'.repeat(20_000)}`],
    ['a value that does not end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'v'.repeat(20_000)}`],
  ]);
  refusalTable(shared, { status: 431, reason: 'too_many_fields' }, [
    ['101 fields', withFields(101)],
    ['3000 fields', withFields(3000)],
  ]);
  refusalTable(shared, { status: 414, reason: 'target_too_long' }, [
    ['a target of a byte more', withTarget(8 * 1024 + 1)],
    ['a target of 1 MiB', withTarget(1 << 20)],
    ['a target that does not end', `GET /${'t'.repeat(20_000)}`],
  ]);
  accountFor(shared);
});

describe('sizes that were set', () => {
  const shared = sharing((world) => Front.start(world, {
    more: '[limits]\nhead_bytes = "1KiB"\nhead_fields = 3\ntarget_bytes = "64B"\nbody_bytes = "1000B"\n',
  }));

  shared.fact('what is within them goes through', async (front) => {
    await front.passes(sized(1024));
    await front.passes(withFields(3));
    await front.passes(withTarget(64));
    await front.passes(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'b'.repeat(1000)}`);
    await front.passes(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${'b'.repeat(1000)}\r\n0\r\n\r\n`);
  });

  refusalTable(shared, {}, [
    ['a head over 1 KiB', sized(1025), { status: 431, reason: 'head_too_large' }],
    ['four fields', withFields(4), { status: 431, reason: 'too_many_fields' }],
    ['a target of 65 bytes', withTarget(65), { status: 414, reason: 'target_too_long' }],
    [
      'a body announced too long',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n${'b'.repeat(1001)}`,
      { status: 413, reason: 'body_too_large' },
    ],
    [
      'a body announced too long that does not come',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n',
      { status: 413, reason: 'body_too_large' },
    ],
  ]);

  shared.fact('a chunked body that grows too long is cut: 413', async (front) => {
    const chunk = `1f4\r\n${'b'.repeat(500)}\r\n`;
    const { result, seen } = await front.during(() => talk(front.address,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}4\r\nEVIL\r\n0\r\n\r\n${Front.after}`));
    assert.doesNotMatch(seen, /EVIL|\r\n0+\r\n\r\n|after/);
    front.refused(result, { status: 413, reason: 'body_too_large' });
  });

  shared.fact('a chunk over the limit is refused at the line of its size: 400', async (front) => {
    const { result, seen } = await front.during(() => talk(front.address,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\nEVIL${Front.after}`));
    assert.doesNotMatch(seen, /EVIL|\r\n0+\r\n\r\n|after/);
    front.refused(result, { status: 400, reason: 'chunk' });
  });

  accountFor(shared);
});

describe('deadlines', () => {
  const shared = sharing((world) => Front.start(world, { more: '[limits]\nhead_timeout = "300ms"\nidle_timeout = "700ms"\n' }));

  // What comes and when: { answers, text, ms }; `bytes` are sent one each 40 ms, the last again and again.
  async function dribble(front, world, first, bytes) {
    const client = await world.connect(front.address);
    const begun = performance.now();
    client.send(first);
    let at = 0;
    const timer = setInterval(() => { if (!client.socket.destroyed) client.send(bytes[Math.min(at += 1, bytes.length) - 1]); }, 40);
    try {
      await client.ends(4000);
    } finally {
      clearInterval(timer);
    }
    return { text: client.text, ms: performance.now() - begun };
  }

  const isTimeout = (front, { text, ms }) => {
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.match(text, /\r\nConnection: close\r\n/i);
    assert.ok(ms > 250 && ms < 1000 * slowness, `after ${ms} ms`);
    const [, , id] = text.match(/<small>(\S+) (\S+)<\/small>/);
    front.refusals.push({ id, status: 408, reason: 'head_timeout' });
  };

  shared.fact('a head that does not arrive: 408 and the end, head_timeout after its first byte', async (front, world) => {
    const from = front.origin.seen.length;
    const slow = await Promise.all([
      ['GET /slow', ['']], // half a request line
      ['GET /slow HTTP/1.1\r\nHost: a\r\n', ['']], // all but the end
      ['G', 'ET /slow'], // a byte at a time
      ['GET /slow HTTP/1.1\r\n', ['Host: a\r\n', 'X: 1\r\n']], // a field at a time
    ].map(([first, bytes]) => dribble(front, world, first, bytes)));
    for (const one of slow) isTimeout(front, one);
    assert.equal(front.origin.seen.length, from);
  });

  shared.fact('a second request on the connection has the same deadline', async (front, world) => {
    const client = await world.connect(front.address);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
    const begun = performance.now();
    client.send('GET /slow');
    await client.ends(4000);
    isTimeout(front, { text: client.text, ms: performance.now() - begun });
  });

  shared.fact(
    'a connection that idles, from the start or after a request, is closed without a word, idle_timeout later',
    (front, world) =>
      Promise.all(
        ['', 'GET / HTTP/1.1\r\nHost: a\r\nX-Idle: 1\r\n\r\n'].map(async (first) => {
          const client = await world.connect(front.address);
          if (first) assert.equal((await client.send(first).answer()).status, 200);
          const begun = performance.now();
          assert.equal(await client.ends(4000), 'fin');
          const ms = performance.now() - begun;
          assert.ok(ms > 600 && ms < 1500 * slowness, `after ${ms} ms`);
          assert.equal(client.text, '');
        }),
      ),
  );

  for (const [name, first] of [['from the start', ''], ['behind a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi']]) {
    shared.fact(`an empty line ${name} begins no head: the connection idles`, async (front, world) => {
      const client = await world.connect(front.address);
      client.send(`${first}\r\n`);
      if (first) assert.equal((await client.answer()).status, 200);
      assert.equal(await client.ends(4000), 'fin');
      assert.equal(client.text, '', 'without a word');
    });
  }

  shared.fact('a body that stands still is 408 and never complete', async (front, world) => {
    const from = front.origin.seen.length;
    const client = await world.connect(front.address);
    client.send('POST /still HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    const answer = await client.answer({ ms: 4000 });
    assert.equal(answer.status, 408);
    assert.match(answer.headers.connection, /close/);
    await client.ends();
    const open = front.origin.connections.find((one) => one.text.includes('half'));
    if (open) await until(() => open.ending, 2000, 'the server\'s connection is closed');
    assert.doesNotMatch(front.origin.seen.slice(from), /half[^]/);
    const [, reason, id] = answer.body.toString().match(/<small>(\S+) (\S+)<\/small>/);
    front.refusals.push({ id, status: 408, reason });
  });

  shared.fact('a body of a byte now and then does not live for ever', async (front, world) => {
    const { text } = await dribble(front, world, 'POST /drip HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n', ['b']);
    assert.match(text, /^HTTP\/1\.1 408 /);
    const [, reason, id] = text.match(/<small>(\S+) (\S+)<\/small>/);
    front.refusals.push({ id, status: 408, reason });
  });

  shared.fact('a connection that is in use is not idle', async (front, world) => {
    const client = await world.connect(front.address);
    const begun = performance.now();
    while (performance.now() - begun < 1500) {
      assert.equal((await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').answer()).status, 200);
      await holds(() => !client.ending, 200, 'it stays open');
    }
  });

  accountFor(shared);
});

describe('the proxy\'s own answers', () => {
  const shared = sharing((world) => Front.start(world, { more: '[limits]\nbody_bytes = "10B"\n' }));
  const tooLong = (accept) => `POST / HTTP/1.1\r\nHost: a\r\n${accept}Content-Length: 11\r\n\r\n`;

  shared.fact('a small page of HTML', async ({ address }) => {
    const { answers: [answer], text } = await talk(address, tooLong(''));
    assert.match(answer.headers['content-type'], /^text\/(html|plain)/);
    assert.ok(answer.body.length > 0 && text.length < 1024, `${text.length} bytes in all`);
    assert.match(answer.body.toString(), /413/);
    assert.equal(Number(answer.headers['content-length']), answer.body.length);
  });

  for (const accept of ['application/json', 'text/plain, application/json;q=0.9', '*/*;q=0.1, APPLICATION/JSON']) {
    shared.fact(`JSON for ${accept}`, async ({ address }) => {
      const { answers: [answer] } = await talk(address, tooLong(`Accept: ${accept}\r\n`));
      assert.match(answer.headers['content-type'], /^application\/json/);
      const page = JSON.parse(answer.body.toString());
      assert.equal(page.status, 413);
      assert.equal(page.reason, 'body_too_large');
    });
  }

  for (const accept of ['text/html', 'application/jsonx', 'application/json;q=0', 'application/jso']) {
    shared.fact(`no JSON for ${accept}`, async ({ address }) => {
      const { answers: [answer] } = await talk(address, tooLong(`Accept: ${accept}\r\n`));
      assert.doesNotMatch(answer.headers['content-type'], /json/);
    });
  }

  shared.fact('nothing of the request is in it', async ({ address }) => {
    const { text } = await talk(
      address,
      tooLong('Accept: application/json\r\nX-Evil: <script>alert(1)</script>\r\n').replace(
        'POST /',
        'POST /<script>alert(2)</script>',
      ),
    );
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.doesNotMatch(text, /script|alert/);
  });

  shared.fact('the answer to HEAD has no body', async ({ address }) => {
    const { answers, rest, text } = await talk(address, tooLong('').replace('POST', 'HEAD'), { to: ['HEAD'] });
    assert.equal(answers.length, 1, text);
    assert.equal(answers[0].status, 413);
    assert.equal(rest.length, 0);
  });
});
