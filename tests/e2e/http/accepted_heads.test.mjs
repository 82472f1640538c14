// Heads that are odd and right: they go through, and what they say arrives unchanged.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';

const get = (fields = '', line = 'GET / HTTP/1.1') => `${line}\r\nHost: a\r\n${fields}\r\n`;

describe('accepted heads', () => {
  const shared = sharing((world) => Front.start(world));

  shared.fact('an empty line before the request line', async (front) => {
    await front.passes(`\r\n${get()}`);
  });

  shared.fact('an empty line between pipelined requests', async (front) => {
    const from = front.requests.length;
    await front.passes(`${get('', 'GET /1 HTTP/1.1')}`);
    await front.passes(`\r\n${get('', 'GET /2 HTTP/1.1')}`);
    assert.deepEqual(front.requests.slice(from).map(({ target }) => target), ['/1', '/2']);
  });

  for (const [name, value] of [
    ['bytes over 0x7f', 'caf\xe9 \x80\xff'], ['UTF-8', Buffer.from('žluťoučký 🐚').toString('latin1')], ['tabs within', 'a\tb\t\tc'],
    ['quotes and commas', '"a, b"; c="d\\"e"'], ['colons', 'a:b:c'], ['six thousand bytes', 'v'.repeat(6000)],
  ]) {
    shared.fact(`${name} in a value arrive as they are`, async (front) => {
      const { request } = await front.passes(get(`X-Value: ${value}\r\n`));
      assert.equal(request.headers['x-value'], value);
    });
  }

  shared.fact('white space around a value is no part of it', async (front) => {
    const { request } = await front.passes(get('X-Value: \t a b \t \r\nX-Bare:c\r\n'));
    assert.equal(request.headers['x-value'], 'a b');
    assert.equal(request.headers['x-bare'], 'c');
  });

  shared.fact('an empty value', async (front) => {
    const { request } = await front.passes(get('X-Empty:\r\nX-Blank: \t \r\n'));
    assert.equal(request.headers['x-empty'], '');
    assert.equal(request.headers['x-blank'], '');
  });

  shared.fact('every character of a token in a name', async (front) => {
    const { request } = await front.passes(get('X!#$%&\'*+-.^`|~9: 1\r\n'));
    assert.ok(request.fields.some(([name]) => name === 'X!#$%&\'*+-.^`|~9'));
  });

  shared.fact('repeated fields stay apart and in order, names in the case that was sent', async (front) => {
    const { request } = await front.passes(get('x-ODD: 1\r\nCookie: a=1\r\nX-Odd: 2\r\nCookie: b=2\r\n'));
    assert.deepEqual(request.fields.filter(([name]) => /x-odd/i.test(name)), [['x-ODD', '1'], ['X-Odd', '2']]);
    assert.equal(request.headers.cookie.replace(/, |; /g, '; '), 'a=1; b=2');
  });

  shared.fact('OPTIONS *', async (front) => {
    const { request } = await front.passes(get('', 'OPTIONS * HTTP/1.1'));
    assert.equal(request.line, 'OPTIONS * HTTP/1.1');
  });

  for (const [name, line, expected] of [
    ['absolute-form', 'GET http://b.example:81/x?y=1 HTTP/1.1', 'GET /x?y=1 HTTP/1.1'],
    ['absolute-form without a path', 'GET http://b.example:81 HTTP/1.1', 'GET / HTTP/1.1'],
    ['absolute-form with a query and no path', 'GET http://b.example:81?y=1 HTTP/1.1', 'GET /?y=1 HTTP/1.1'],
    ['absolute-form in odd case', 'GET HTTP://b.example:81/X HTTP/1.1', 'GET /X HTTP/1.1'],
    ['absolute-form of https', 'GET https://b.example:81/x HTTP/1.1', 'GET /x HTTP/1.1'],
    ['absolute-form of OPTIONS without a path', 'OPTIONS http://b.example:81 HTTP/1.1', 'OPTIONS * HTTP/1.1'],
  ]) {
    shared.fact(`${name}: its authority replaces Host`, async (front) => {
      const { request } = await front.passes(get('', line));
      assert.equal(request.line, expected);
      assert.deepEqual(request.fields.filter(([field]) => /^host$/i.test(field)), [['Host', 'b.example:81']]);
      assert.equal(request.headers['x-forwarded-host'], 'b.example:81');
    });
  }

  for (const value of ['a', 'A.Example', 'a:80', 'a:', '127.0.0.1:1', '[::1]', '[::1]:80', 'a_b-c.d', '%41b', 'a!$&\'()*+;=~']) {
    shared.fact(`Host: ${value}`, async (front) => {
      const { request } = await front.passes(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`);
      assert.equal(request.headers.host, value);
    });
  }

  shared.fact('an empty Host', async (front) => {
    await front.passes('GET / HTTP/1.1\r\nHost:\r\n\r\n');
  });

  shared.fact('HTTP/1.0 without a Host', async (front) => {
    const { request, answer } = await front.passes('GET /old HTTP/1.0\r\n\r\n');
    assert.equal(request.line, 'GET /old HTTP/1.1');
    assert.equal(answer.body.toString(), 'ok');
  });

  for (const method of ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'M-SEARCH', 'get', 'x']) {
    shared.fact(`${method} as it is`, async (front) => {
      const { request } = await front.passes(get('', `${method} /m HTTP/1.1`));
      assert.equal(request.line, `${method} /m HTTP/1.1`);
    });
  }

  for (const text of ['/', '//', '/a//b/../c/./d', '/%00%0d%0a%2F', '/a?b=c&d?e/f', '/?', '/a;b=c', '/~a!$\'()*+,:@', '/"<>^`{|}\\']) {
    shared.fact(`the target ${text} arrives as it is`, async (front) => {
      const { request } = await front.passes(get('', `GET ${text} HTTP/1.1`));
      assert.equal(request.target, text);
    });
  }

  shared.fact('a head in pieces of a byte is the same head', async (front) => {
    const { request } = await front.passes(get('X-Value: a b\r\n', 'GET /bytes HTTP/1.1'), { pieces: true });
    assert.equal(request.target, '/bytes');
    assert.equal(request.headers['x-value'], 'a b');
  });

  shared.fact('a body in pieces of a byte is the same body', async (front) => {
    const { request } = await front.passes(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;e=f\r\nhello\r\nb\r\n, old world\r\n0\r\nX-T: 1\r\n\r\n',
      { pieces: true },
    );
    assert.equal(request.body.toString(), 'hello, old world');
    assert.match(request.trailers, /^X-T: 1$/);
  });
});
