// Framing that two parsers could read differently: lengths, codings, chunks, trailers. Whatever follows such a
// message on its connection is neither answered nor sent on.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front, accountFor, refusalTable } from './front.mjs';
import { talk } from './talk.mjs';

const post = (fields, body = '', version = 'HTTP/1.1') =>
  `POST / ${version}\r\nHost: a\r\n${fields.map((one) => `${one}\r\n`).join('')}\r\n${body}`;
const length = (value, body = 'hello') => post([`Content-Length: ${value}`], body);
const coding = (value, body = '5\r\nhello\r\n0\r\n\r\n') => post([`Transfer-Encoding: ${value}`], body);

describe('Content-Length', () => {
  const shared = sharing((world) => Front.start(world));
  refusalTable(shared, { status: 400, reason: 'content_length' }, [
    ...['+5', '-5', '5 5', '0x5', '5h', '5.0', '1e1', '5;', '"5"', '', '5,', ',5', '5, 5', '5,6', '\xb2', 'five'].map((value) => [
      `"${value}"`,
      length(value),
    ]),
    ['2^63', length('9223372036854775808')],
    ['2^64', length('18446744073709551616')],
    ['2^64 + 5', length('18446744073709551621')],
    ['a hundred digits', length('9'.repeat(100))],
    ['two that differ', post(['Content-Length: 5', 'Content-Length: 6'], 'hello')],
    ['two the same', post(['Content-Length: 5', 'Content-Length: 5'], 'hello')],
    ['two the same with other fields between', post(['Content-Length: 5', 'X: 1', 'content-length: 5'], 'hello')],
    ['one of them empty', post(['Content-Length:', 'Content-Length: 5'], 'hello')],
    ['of a GET', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
  ]);
  accountFor(shared);
});

describe('Content-Length beside Transfer-Encoding', () => {
  const shared = sharing((world) => Front.start(world));
  const chunks = '5\r\nhello\r\n0\r\n\r\n';
  refusalTable(shared, { status: 400, reason: 'length_and_coding' }, [
    ['length first', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], chunks)],
    ['coding first', post(['Transfer-Encoding: chunked', 'Content-Length: 5'], chunks)],
    ['the length of the chunks', post([`Content-Length: ${chunks.length}`, 'Transfer-Encoding: chunked'], chunks)],
    ['a length of 0', post(['Content-Length: 0', 'Transfer-Encoding: chunked'], chunks)],
    ['an empty coding after the length', post(['Content-Length: 5', 'Transfer-Encoding:'], 'hello')],
    [
      'an empty coding before the length',
      post(['Transfer-Encoding:', 'Content-Length: 5'], 'hello'),
      { reason: ['length_and_coding', 'transfer_encoding'] },
    ],
    ['a coding of white space', post(['Content-Length: 5', 'Transfer-Encoding: \t '], 'hello')],
    ['identity after the length', post(['Content-Length: 5', 'Transfer-Encoding: identity'], 'hello')],
    ['gzip, chunked after the length', post(['Content-Length: 5', 'Transfer-Encoding: gzip, chunked'], chunks)],
    ['gzip, chunked before the length', post(['Transfer-Encoding: gzip, chunked', 'Content-Length: 5'], chunks)],
    ['in odd case', post(['CONTENT-length: 5', 'transfer-ENCODING: CHUNKED'], chunks)],
    ['in HTTP/1.0', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], chunks, 'HTTP/1.0')],
  ]);
  accountFor(shared);
});

describe('Transfer-Encoding', () => {
  const shared = sharing((world) => Front.start(world));
  refusalTable(shared, { status: [400, 501], reason: ['transfer_encoding', 'coding_unsupported'] }, [
    ...[
      'identity', 'xchunked', 'chunkedx', 'x-chunked', 'chunked, chunked', 'chunked, gzip', 'gzip, chunked', 'gzip',
      'chunked,', ',chunked', 'chunked, identity', 'identity, chunked', 'chunked;q=1', 'chunked; a', '"chunked"',
      "'chunked'", 'chunked chunked', 'chun\tked', '\xa0chunked', 'chunked\xa0', '',
    ].map((value) => [`"${value}"`, coding(value)]),
    ['two fields', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
    ['two fields, the second empty', post(['Transfer-Encoding: chunked', 'Transfer-Encoding:'], '0\r\n\r\n')],
    ['two fields, the first identity', post(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
    ['in HTTP/1.0', post(['Transfer-Encoding: chunked'], '0\r\n\r\n', 'HTTP/1.0')],
    ['in HTTP/1.0 with keep-alive', post(['Connection: keep-alive', 'Transfer-Encoding: chunked'], '0\r\n\r\n', 'HTTP/1.0')],
  ]);
  refusalTable(shared, { status: 400, reason: 'field_value' }, ['\x0b', '\x0c', '\0'].map((byte) => (
    [`chunked after ${JSON.stringify(byte)}`, coding(`${byte}chunked`)])));
  refusalTable(shared, { status: 400, reason: 'connection' }, [
    ['named by Connection', post(['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
    ['Content-Length named by Connection', post(['Connection: close, content-length', 'Content-Length: 5'], 'hello')],
  ]);
  accountFor(shared);
});

// Each row: what is wrong, the good chunks before it, and the bytes from the fault on. They hold "EVIL", which must
// never be seen, and may look complete.
const badChunks = [
  ['a plus sign', '', '+4\r\nEVIL\r\n0\r\n\r\n'],
  ['a minus sign', '', '-4\r\nEVIL\r\n0\r\n\r\n'],
  ['0x', '', '0x4\r\nEVIL\r\n0\r\n\r\n'],
  ['a space before it', '', ' 4\r\nEVIL\r\n0\r\n\r\n'],
  ['a space after it', '', '4 \r\nEVIL\r\n0\r\n\r\n'],
  ['a tab after it', '', '4\t\r\nEVIL\r\n0\r\n\r\n'],
  ['an underscore', '', '0_4\r\nEVIL\r\n0\r\n\r\n'],
  ['no digit', '', 'x\r\nEVIL\r\n0\r\n\r\n'],
  ['an empty line', '', '\r\nEVIL\r\n0\r\n\r\n'],
  ['an extension without a size', '', ';a=b\r\nEVIL\r\n0\r\n\r\n'],
  ['17 digits', '', '00000000000000004\r\nEVIL\r\n0\r\n\r\n'],
  ['2^64 - 1', '', 'FFFFFFFFFFFFFFFF\r\nEVIL\r\n0\r\n\r\n'],
  ['2^63', '', '8000000000000000\r\nEVIL\r\n0\r\n\r\n'],
  ['a bare LF after the size', '', '4\nEVIL\r\n0\r\n\r\n'],
  ['a bare CR after the size', '', '4\rEVIL\r\n0\r\n\r\n'],
  ['CR CR LF after the size', '', '4\r\r\nEVIL\r\n0\r\n\r\n'],
  ['a CR in an extension', '', '4;a\rb\r\nEVIL\r\n0\r\n\r\n'],
  ['a bare LF in an extension', '', '4;a\nEVIL\r\n0\r\n\r\n'],
  ['NUL in an extension', '', '4;a\0b\r\nEVIL\r\n0\r\n\r\n'],
  ['an extension of 300 bytes', '', `4;${'e'.repeat(300)}\r\nEVIL\r\n0\r\n\r\n`],
  [
    'extensions of 300 bytes in all',
    `3;${'e'.repeat(100)}\r\nabc\r\n3;${'e'.repeat(100)}\r\ndef\r\n`,
    `4;${'e'.repeat(100)}\r\nEVIL\r\n0\r\n\r\n`,
  ],
  ['no CRLF after the data', '3\r\nabc', 'EVIL\r\n0\r\n\r\n'],
  ['data longer than its size', '3\r\nabc', 'dEVIL\r\n0\r\n\r\n'],
  ['a bare LF after the data', '3\r\nabc', '\n4\r\nEVIL\r\n0\r\n\r\n'],
  ['a bare CR after the data', '3\r\nabc', '\r4\r\nEVIL\r\n0\r\n\r\n'],
  ['a bare LF after the last chunk\'s size', '3\r\nabc\r\n', '0\n\r\nEVIL'],
];

const badTrailers = [
  ['folded', 'X: 1\r\n EVIL\r\n\r\n'],
  ['a bare LF', 'X: 1\nEVIL: 1\r\n\r\n'],
  ['a bare CR', 'X: 1\rEVIL: 1\r\n\r\n'],
  ['a space before the colon', 'EVIL : 1\r\n\r\n'],
  ['no colon', 'EVIL\r\n\r\n'],
  ['an empty name', ': EVIL\r\n\r\n'],
  ['NUL', 'EVIL: \0\r\n\r\n'],
  ['a byte over 0x7f in a name', 'EVIL\xe4: 1\r\n\r\n'],
  ['10 KiB of them', `X: ${'EVIL'.repeat(2560)}\r\n\r\n`],
  ['a bare LF instead of the last CRLF', 'EVIL: 1\r\n\n'],
].map(([name, bytes]) => [name, '3\r\nabc\r\n0\r\n', bytes]);

describe('chunked bodies that are cut at the fault', () => {
  const shared = sharing((world) => Front.start(world));
  const head = post(['Transfer-Encoding: chunked']);

  const streamed = (reason, rows) => {
    for (const [name, good, bad] of rows) {
      shared.fact(`${reason}: ${name}`, async (front) => {
        const { result, seen } = await front.during(() => talk(front.address, head + good + bad + Front.after));
        assert.doesNotMatch(seen, /EVIL|\r\n0+\r\n\r\n|\/after/, 'nothing from the fault on reaches the server');
        front.refused(result, { status: 400, reason });
      });
    }
  };
  streamed('chunk', badChunks);
  streamed('trailer', badTrailers);

  shared.fact('the part before the fault is on its way already: the server sees it cut, not complete', async (front, world) => {
    const client = await world.connect(front.address);
    const from = front.origin.seen.length;
    const connections = front.origin.connections.length;
    client.send(`${head}3\r\nabc\r\n`);
    await until(() => front.origin.seen.slice(from).includes('abc'), 2000, 'the good chunk reaches the server');
    const open = front.origin.connections.find((one) => one.text.includes('abc'));
    client.send(`+4\r\nEVIL\r\n0\r\n\r\n${Front.after}`);
    const answer = await client.answer();
    assert.equal(answer.status, 400);
    await client.ends();
    await until(() => open.ending, 2000, 'the server\'s connection is closed');
    assert.doesNotMatch(front.origin.seen.slice(from), /EVIL|\r\n0+\r\n\r\n|\/after/);
    assert.ok(front.origin.connections.length <= connections + 1);
    const [, reason, id] = answer.body.toString().match(/<small>(\S+) (\S+)<\/small>/);
    front.refusals.push({ id, status: 400, reason });
    assert.equal(reason, 'chunk');
  });

  accountFor(shared);
});

describe('what looks like smuggling and is framed well', () => {
  const shared = sharing((world) => Front.start(world));
  const inner = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST']) {
    shared.fact(`a request in the body of ${method} stays there (Content-Length)`, async (front) => {
      const { request } = await front.passes(
        `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
        { to: [method] },
      );
      assert.equal(request.body.toString(), inner);
    });
    shared.fact(`a request in the body of ${method} stays there (chunked)`, async (front) => {
      const chunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
      const { request } = await front.passes(`${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`, {
        to: [method],
      });
      assert.equal(request.body.toString(), inner);
    });
  }

  // The server sees one unambiguous framing, whatever the client's spelling was.
  for (const [name, field] of [['odd case', 'tRANSFER-eNCODING: ChunKED'], ['tabs around it', 'Transfer-Encoding: \t chunked \t ']]) {
    shared.fact(`chunked with ${name} becomes plain chunked`, async (front) => {
      const { request } = await front.passes(post([field], '5;ext="v"\r\nhello\r\n000\r\n\r\n'));
      assert.equal(request.headers['transfer-encoding'], 'chunked');
      assert.equal(request.headers['content-length'], undefined);
      assert.equal(request.body.toString(), 'hello');
    });
  }

  // A tab behind the digits is refused, because llhttp does: the strict side.
  for (const value of ['5', '005', '  5', '\t5', '5  ']) {
    shared.fact(`Content-Length:${JSON.stringify(value)} becomes 5`, async (front) => {
      const { request } = await front.passes(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length:${value}\r\n\r\nhello`);
      assert.equal(request.headers['content-length'], '5');
      assert.equal(request.body.toString(), 'hello');
    });
  }

  for (const name of [
    'Content-Length', 'Transfer-Encoding', 'Host', 'Connection', 'Trailer', 'TE', 'Expect', 'Range', 'Authorization',
    'Proxy-Authorization', 'Cookie', 'Set-Cookie', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X_Forwarded_For',
    'Cache-Control', 'Content-Type', 'Upgrade',
  ]) {
    shared.fact(`a trailer ${name} does not reach the server`, async (front) => {
      const got = await talk(
        front.address,
        post(['Transfer-Encoding: chunked', 'Connection: close'], `5\r\nhello\r\n0\r\n${name}: 17\r\n\r\n`),
      );
      assert.ok([200, 400].includes(got.answers[0].status), got.text);
      if (got.answers[0].status === 200) assert.doesNotMatch(front.requests.at(-1).trailers, new RegExp(name, 'i'));
    });
  }

  shared.fact('trailers after a Content-Length are the next request, and a bad one', async (front) => {
    const { result, seen } = await front.during(() =>
      talk(front.address, post(['Content-Length: 5'], `helloX-Trailer: 1\r\n\r\n${Front.after}`)),
    );
    assert.deepEqual(
      result.answers.map(({ status }) => status),
      [200, 400],
    );
    assert.match(result.answers[1].headers.connection, /close/);
    assert.doesNotMatch(seen, /X-Trailer|after/);
  });
});
