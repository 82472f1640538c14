// Request heads that are refused, each for a reason of its own (RFC 9110, RFC 9112).
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { sharing } from '../lib/world.mjs';
import { Front, accountFor, refusalTable } from './front.mjs';

const get = (fields, line = 'GET / HTTP/1.1') => `${line}\r\nHost: a\r\n${fields}\r\n`;
const target = (text, method = 'GET') => `${method} ${text} HTTP/1.1\r\nHost: a\r\n\r\n`;
const host = (...values) => `GET / HTTP/1.1\r\n${values.map((value) => `Host: ${value}\r\n`).join('')}\r\n`;
const control = (code) => `\\x${code.toString(16).padStart(2, '0')}`;

describe('line ends', () => {
  const shared = sharing((world) => Front.start(world));
  refusalTable(shared, { status: 400, reason: 'line_end' }, [
    ['a bare LF ends the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['a bare LF ends a field', 'GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n'],
    ['a bare LF ends the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['bare LFs alone', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a bare LF before the request line', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a bare CR before the request line', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a bare CR ends a field', 'GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n'],
    ['a bare CR in a value', get('X: a\rb\r\n')],
    ['CR CR LF', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n'],
    ['CR CR LF at the end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'],
  ]);

  refusalTable(shared, { status: 400 }, [
    ['a bare CR ends the request line', 'GET / HTTP/1.1\rHost: a\r\n\r\n', { reason: 'line_end' }],
    ['a bare CR in the target', 'GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['a bare CR in a field name', get('X\rY: 1\r\n'), { reason: 'field_name' }],
    ['a bare LF in the target', 'GET /\na HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'line_end' }],
  ]);

  accountFor(shared);
});

describe('fields', () => {
  const shared = sharing((world) => Front.start(world));

  refusalTable(shared, { status: 400, reason: 'folded_field' }, [
    ['folded with a space', get('X: 1\r\n 2\r\n')],
    ['folded with a tab', get('X: 1\r\n\t2\r\n')],
    ['white space before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
    ['a line of white space alone', get('X: 1\r\n \r\n')],
    ['a folded Transfer-Encoding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n'],
  ]);

  refusalTable(shared, { status: 400, reason: 'field_name' }, [
    ['a space before the colon', get('X : 1\r\n')],
    ['a tab before the colon', get('X\t: 1\r\n')],
    ['a space before the colon of Content-Length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello'],
    ['an empty name', get(': 1\r\n')],
    ['a line without a colon', get('nonsense\r\n')],
    ['a space within', get('X Y: 1\r\n')],
    ...[...'()<>@,;\\"/[]?={}'].map((c) => [`${c} in a name`, get(`X${c}Y: 1\r\n`)]),
    ['NUL in a name', get('X\0Y: 1\r\n')],
    ['a byte over 0x7f in a name', get('X\x80: 1\r\n')],
    ['a UTF-8 name', get(Buffer.from('Ärger: 1\r\n').toString('latin1'))],
  ]);

  refusalTable(shared, { status: 400, reason: 'field_value' }, [
    ...[0x00, 0x01, 0x08, 0x0b, 0x0c, 0x0e, 0x1b, 0x1f, 0x7f].map((code) => [
      `${control(code)} in a value`,
      get(`X: a${String.fromCharCode(code)}b\r\n`),
    ]),
    ['NUL in Host', host('a\0b')],
    ['a vertical tab before chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
  ]);

  accountFor(shared);
});

describe('Host', () => {
  const shared = sharing((world) => Front.start(world));
  refusalTable(shared, { status: 400, reason: 'host' }, [
    ['none in HTTP/1.1', 'GET / HTTP/1.1\r\nX: 1\r\n\r\n', { reason: 'no_host' }],
    ['no field at all', 'GET / HTTP/1.1\r\n\r\n', { reason: 'no_host' }],
    ['none beside an absolute form', 'GET http://a/ HTTP/1.1\r\n\r\n', { reason: 'no_host' }],
    ['two', host('a', 'b')],
    ['two the same', host('a', 'a')],
    ['two in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a list', host('a, b')],
    ['a list without a space', host('a,b')],
    ['a space within', host('a b')],
    ['userinfo', host('user@a')],
    ['userinfo with a password', host('user:secret@a:80')],
    ['a port of letters', host('a:http')],
    ['a port over 65535', host('a:65536')],
    ['a port with a sign', host('a:+80')],
    ['a negative port', host('a:-1')],
    ['two ports', host('a:80:80')],
    ['a port alone', host(':80')],
    ['a path', host('a/b')],
    ['a query', host('a?b')],
    ['a fragment', host('a#b')],
    ['a backslash', host('a\\b')],
    ['half a percent-escape', host('a%4')],
    ['a bracket that is not closed', host('[::1')],
    ['letters after a bracket', host('[::1]a')],
    ['no address between brackets', host('[]')],
    ['an IPv6 address without brackets', host('::1')],
    ['a byte over 0x7f', host('a\xe4')],
    ['an absolute form without a host', 'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an absolute form with userinfo', 'GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an absolute form with a bad port', 'GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a bad Host beside an absolute form', 'GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n'],
  ]);

  accountFor(shared);
});

describe('targets, methods and versions', () => {
  const shared = sharing((world) => Front.start(world));

  refusalTable(shared, { status: 400, reason: 'target' }, [
    ['asterisk-form of GET', target('*')],
    ['asterisk-form of POST', target('*', 'POST')],
    ['asterisk and more', target('*/a', 'OPTIONS')],
    ['no slash', target('a')],
    ['authority-form of GET', target('a:80')],
    ['another scheme', target('ftp://a/')],
    ['a scheme alone', target('http:')],
    ['two spaces before it', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a tab in it', target('/a\tb')],
    ['a fragment', target('/a#b')],
    ['NUL', target('/a\0b')],
    ...[0x01, 0x1b, 0x7f].map((code) => [control(code), target(`/a${String.fromCharCode(code)}b`)]),
  ]);

  refusalTable(shared, { status: 400 }, [
    ['a space in the target', target('/a b'), { reason: 'version' }],
    ['an escape sequence for terminals', target('/\x1b[2J'), { reason: 'target' }],
    ['a byte over 0x7f', target('/\xe4'), { reason: 'target' }],
    ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'method' }],
    ['two empty lines before the method', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'method' }],
    ['no method', '/ HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'method' }],
    ['a method that is no token', 'GE(T / HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'method' }],
    ['a method of a hundred letters', `${'M'.repeat(100)} / HTTP/1.1\r\nHost: a\r\n\r\n`, { reason: 'method' }],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', { reason: 'method' }],
    [
      'a PROXY protocol line on a listener without it',
      'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
      { reason: ['target', 'version'] },
    ],
  ]);

  refusalTable(shared, { status: [400, 505] }, [
    ['HTTP/0.9 without a version', 'GET /\r\n', { reason: 'version' }],
    ['HTTP/0.9 by name', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', { reason: 'version_unsupported' }],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', { reason: 'version_unsupported' }],
    ['HTTP/2', 'GET / HTTP/2\r\nHost: a\r\n\r\n', { reason: ['version', 'version_unsupported'] }],
    ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', { reason: 'version_unsupported' }],
    ['HTTP/1.10', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['HTTP/01.1', 'GET / HTTP/01.1\r\nHost: a\r\n\r\n', { reason: ['version', 'version_unsupported'] }],
    ['HTTP/1,1', 'GET / HTTP/1,1\r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['small letters', 'GET / http/1.1\r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['another protocol', 'GET / RTSP/1.0\r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['a space after it', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', { reason: 'version' }],
    ['a second word after it', 'GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n', { reason: 'version' }],
  ].map(([name, bytes, own]) => [`version: ${name}`, bytes, own]));

  shared.fact('CONNECT is answered with 405 and Allow', async (front) => {
    const answer = await front.refuses('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', { status: 405, reason: 'method_unsupported' });
    assert.match(answer.headers.allow, /\bGET\b/);
    assert.doesNotMatch(answer.headers.allow, /CONNECT/);
  });

  shared.fact('CONNECT in origin-form too', (front) =>
    front.refuses(target('/', 'CONNECT'), { status: 405, reason: 'method_unsupported' }),
  );

  refusalTable(shared, { status: 417, reason: 'expectation' }, [
    ['another expectation', get('Expect: 200-ok\r\n')],
    ['100-continue and another', get('Expect: 100-continue, else\r\n')],
    ['an empty expectation', get('Expect:\r\n')],
    ['two fields, one of them another', get('Expect: 100-continue\r\nExpect: else\r\n')],
  ]);

  accountFor(shared);
});
