// Answers of servers: those that are refused (502, the server's connection closed, counted, and nothing against the
// server's state), and those that are odd and right.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { ok } from './requests.mjs';
import { talk } from './talk.mjs';

// The target names what is answered: a table of bytes by number. `then`: 'keep' or 'close' the connection.
async function scripted(world, rows, more) {
  const front = await Front.start(world, {
    more,
    pool: '[pool.web.timeouts]\nresponse = "1s"\n',
    reply: ({ target }, connection) => {
      const row = rows[Number(target.slice(1))];
      if (!row) return ok();
      const { bytes, then } = row;
      connection.send(bytes);
      if (then === 'close') connection.halfClose();
      front.answered = connection;
      return undefined;
    },
  });
  return front;
}

const ask = (number, method = 'GET') => `${method} /${number} HTTP/1.1\r\nHost: a\r\n\r\n`;
const head = (fields, status = '200 OK') => `HTTP/1.1 ${status}\r\n${fields}\r\n`;

const bad = [
  ['a bare LF in the status line', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi', 'line_end'],
  ['a bare LF after a field', 'HTTP/1.1 200 OK\r\nContent-Length: 2\nX: 1\r\n\r\nhi', 'line_end'],
  ['a bare CR', 'HTTP/1.1 200 OK\r\nX: 1\r2\r\nContent-Length: 2\r\n\r\nhi', 'line_end'],
  ['garbage', '\x16\x03\x01\x00\x02hello', 'status_line'],
  ['no status line at all', '<html>hi</html>\r\n\r\n', 'status_line'],
  ['no status', 'HTTP/1.1\r\n\r\n', 'status_line'],
  ['two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['letters for a status', 'HTTP/1.1 OK 200\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['a negative status', 'HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['status 000', 'HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['HTTP/2', 'HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['HTTP/0.9', 'HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['another protocol', 'ICY 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['a control byte in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['an empty line first', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'status_line'],
  ['a folded field', head('X: 1\r\n 2\r\nContent-Length: 2\r\n') + 'hi', 'folded_field'],
  ['a space before the colon', head('X : 1\r\nContent-Length: 2\r\n') + 'hi', 'field_name'],
  ['an empty name', head(': 1\r\nContent-Length: 2\r\n') + 'hi', 'field_name'],
  ['a byte over 0x7f in a name', head('X\xe4: 1\r\nContent-Length: 2\r\n') + 'hi', 'field_name'],
  ['NUL in a value', head('X: \0\r\nContent-Length: 2\r\n') + 'hi', 'field_value'],
  ['a control byte in a value', head('X: \x1b[2J\r\nContent-Length: 2\r\n') + 'hi', 'field_value'],
  ['two lengths that differ', head('Content-Length: 2\r\nContent-Length: 3\r\n') + 'hi', 'content_length'],
  ['a list of lengths that differ', head('Content-Length: 2, 3\r\n') + 'hi', 'content_length'],
  ['a negative length', head('Content-Length: -2\r\n') + 'hi', 'content_length'],
  ['a length over 2^63', head('Content-Length: 9223372036854775808\r\n') + 'hi', 'content_length'],
  ['a length beside a coding', head('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n', 'length_and_coding'],
  ['a length beside an empty coding', head('Content-Length: 2\r\nTransfer-Encoding:\r\n') + 'hi', 'length_and_coding'],
  ['an unknown coding', head('Transfer-Encoding: xchunked\r\n') + '0\r\n\r\n', 'transfer_encoding'],
  ['chunked twice', head('Transfer-Encoding: chunked, chunked\r\n') + '0\r\n\r\n', 'transfer_encoding'],
  ['a head of 20 KiB', head(`X: ${'x'.repeat(20_000)}\r\nContent-Length: 2\r\n`) + 'hi', 'head_too_large'],
  ['300 fields', head(`${Array.from({ length: 300 }, (_, i) => `X-${i}: 1\r\n`).join('')}Content-Length: 2\r\n`) + 'hi', 'too_many_fields'],
  ['a 101 nobody asked for', head('Upgrade: websocket\r\nConnection: Upgrade\r\n', '101 Switching Protocols'), 'unexpected_upgrade'],
  ['17 times 1xx', head('', '102 Processing').repeat(17) + ok(), 'too_many_interim'],
  ['a body on 204', head('Content-Length: 2\r\n', '204 No Content') + 'hi', undefined],
  ['a chunked body on 204', head('Transfer-Encoding: chunked\r\n', '204 No Content') + '2\r\nhi\r\n0\r\n\r\n', undefined],
  ['a body on 304', head('Content-Length: 2\r\n', '304 Not Modified') + 'hi', undefined],
  ['a chunked body on 304', head('Transfer-Encoding: chunked\r\n', '304 Not Modified') + '2\r\nhi\r\n0\r\n\r\n', undefined],
  ['a body for HEAD', head('Content-Length: 2\r\n') + 'hi', undefined, 'HEAD'],
  ['an early close in the head', 'HTTP/1.1 200 OK\r\nContent-Le', undefined, 'GET', 'close'],
  ['an early close before the body', head('Content-Length: 2\r\n').slice(0, -2), undefined, 'GET', 'close'],
];

describe('answers that are refused', () => {
  const shared = sharing((world) => scripted(world, bad.map(([, bytes, , , then]) => ({ bytes, then }))));

  bad.forEach(([name, , reason, method = 'GET'], number) => {
    shared.fact(`${name}: 502`, async (front) => {
      const faults = () => front.proxy.metric('limpet_bad_answers_total', reason ? { reason } : {});
      const refusals = () => front.proxy.metric('limpet_refusals_total');
      const before = [await faults(), await refusals()];
      const { answers, rest } = await talk(front.address, ask(number, method), { count: 1, to: [method] });
      assert.equal(answers.at(-1).status, 502, answers.at(-1).line);
      assert.equal(rest.length, 0);
      await until(() => front.answered.ending, 2000, 'the server\'s connection is closed');
      await until(async () => (await refusals()) === before[1] + 1, 2000, 'it is counted, once');
      if (reason) assert.equal(await faults(), before[0] + 1, `limpet_bad_answers_total{reason="${reason}"}`);
      const [, id] = answers.at(-1).text.match(/X-Request-Id: (\S+)/i) ?? [];
      const line = await until(
        () => front.lines.find((one) => (id ? one.includes(id) : one.includes(`/${number} HTTP`))),
        2000,
        'an access line',
      );
      assert.match(line, / 502 kind=request .* server=a .* end=server:/);
      if (reason) assert.match(line, new RegExp(` end=server:${reason} `));
    });
  });

  shared.fact('none of it took the server out', async (front) => {
    const { state } = await front.proxy.server('web', 'a');
    assert.equal(state, 'up');
    assert.equal((await talk(front.address, ask('fine'), { count: 1 })).answers[0].status, 200);
  });

  shared.fact('after a 502 the client\'s connection serves the next request', async (front) => {
    const number = bad.findIndex(([name]) => name === 'garbage');
    const { answers } = await talk(front.address, ask(number) + ask('next'), { count: 2 });
    assert.deepEqual(answers.map(({ status }) => status), [502, 200]);
  });
});

// What breaks off after the head has gone out: the client must not take it for the whole.
const broken = [
  ['a length that is not reached', head('Content-Length: 10\r\n') + 'half', 'close'],
  ['a chunk that is not complete', head('Transfer-Encoding: chunked\r\n') + 'a\r\nhalf', 'close'],
  ['no last chunk', head('Transfer-Encoding: chunked\r\n') + '4\r\nhalf\r\n', 'close'],
  ['a bad chunk size', head('Transfer-Encoding: chunked\r\n') + '4\r\nhalf\r\n+4\r\nEVIL\r\n0\r\n\r\n', 'keep'],
  ['a bare LF after a chunk size', head('Transfer-Encoding: chunked\r\n') + '4\r\nhalf\r\n4\nEVIL\r\n0\r\n\r\n', 'keep'],
  ['a folded trailer', head('Transfer-Encoding: chunked\r\n') + '4\r\nhalf\r\n0\r\nX: 1\r\n EVIL\r\n\r\n', 'keep'],
  ['silence in the body, over response', head('Content-Length: 10\r\n') + 'half', 'keep'],
];

describe('answers that break off', () => {
  const shared = sharing((world) => scripted(world, broken.map(([, bytes, then]) => ({ bytes, then }))));

  broken.forEach(([name], number) => {
    for (const [version, extra] of [['HTTP/1.1', ''], ['HTTP/1.0', 'Connection: keep-alive\r\n']]) {
      shared.fact(`${name}: the ${version} client's connection is aborted`, async (front) => {
        const from = front.requests.length;
        const got = await talk(front.address, `GET /${number} ${version}\r\nHost: a\r\n${extra}\r\n${Front.after}`);
        const complete = got.answers.length === 1 && got.ending === 'fin' && got.answers[0].status === 200;
        assert.ok(!complete, `not a whole answer: ${got.ending} ${JSON.stringify(got.text)}`);
        assert.doesNotMatch(got.text, /EVIL|\r\n0+\r\n\r\n$/);
        assert.equal(front.requests.length, from + 1, 'no second try, no second request');
      });
    }
  });

  shared.fact('a reset in the body', async (front, world) => {
    const client = await world.connect(front.address);
    client.send(ask(broken.findIndex(([name]) => name === 'silence in the body, over response')) + Front.after);
    await client.reads('half');
    front.answered.reset();
    await client.ends();
    assert.match(client.text, /Content-Length: 10\r\n\r\nhalf$/);
  });

  shared.fact('each has its line, with the server to blame', async (front) => {
    const count = 2 * broken.length + 1;
    const blamed = () =>
      front.lines.filter((line) => / 200 kind=request .* end=server:(cut_answer|server_silent|chunk|trailer) /.test(line));
    await until(() => blamed().length >= count, 2000, `${count} lines; there are:\n${front.lines.join('\n')}`);
    assert.equal(blamed().length, count);
  });

  shared.fact('none of it took the server out', async (front) => {
    assert.equal((await front.proxy.server('web', 'a')).state, 'up');
  });
});

const odd = [
  ['no reason and no space', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi'],
  ['an empty reason', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi'],
  ['a reason of UTF-8', `HTTP/1.1 200 ${Buffer.from('Schön').toString('latin1')}\r\nContent-Length: 2\r\n\r\nhi`],
  ['an unknown status', 'HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['status 600', 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['HTTP/1.0 until the end', 'HTTP/1.0 200 OK\r\n\r\nhi', 'close'],
  ['HTTP/1.1 until the end', 'HTTP/1.1 200 OK\r\n\r\nhi', 'close'],
  ['chunked in odd case', 'HTTP/1.1 200 OK\r\nTRANSFER-encoding: CHUNKED\r\n\r\n1;a=b\r\nh\r\n01\r\ni\r\n0\r\n\r\n'],
  ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
  ['16 times 1xx', head('', '102 Processing').repeat(16) + ok('hi')],
];

describe('answers that are odd and right', () => {
  const shared = sharing((world) => scripted(world, odd.map(([, bytes, then]) => ({ bytes, then }))));

  odd.forEach(([name, bytes], number) => {
    shared.fact(name, async (front) => {
      const { answers, ending } = await talk(front.address, ask(number), { count: 1 });
      const answer = answers.at(-1);
      assert.equal(answer.status, Number(bytes.match(/(\d{3})[^\n]*\r\n(?!HTTP|\r\nHTTP)/)?.[1] ?? 200));
      assert.equal(answer.body.toString(), 'hi');
      assert.match(answer.line, /^HTTP\/1\.1 \d{3}( |$)/);
      assert.equal(ending, 'open', 'the client\'s connection stays');
    });
  });

});

describe('what a server sends beyond its answer is nobody\'s', () => {
  const shared = sharing((world) => scripted(world, [{ bytes: ok('first') + ok('stray') }, { bytes: ok('first') }]));

  shared.fact('in the packet of the answer', async (front) => {
    const { answers } = await talk(front.address, ask(0) + ask('next'), { count: 2 });
    assert.deepEqual(answers.map(({ body }) => body.toString()), ['first', 'ok']);
    await until(() => front.origin.connections[0].ending, 2000, 'that connection is not used again');
  });

  shared.fact('on a connection that idles', async (front) => {
    await talk(front.address, ask(1), { count: 1 });
    front.answered.send(ok('stray'));
    await until(() => front.answered.ending, 2000, 'that connection is not used again');
    const { answers } = await talk(front.address, ask('next'), { count: 1 });
    assert.equal(answers[0].body.toString(), 'ok');
  });
});
