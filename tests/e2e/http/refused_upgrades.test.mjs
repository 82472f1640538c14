// Handshakes that the server does not accept, or accepts wrongly: never a tunnel.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { acceptOf, key, switching, upgrade, webSockets } from './websocket.mjs';

const good = acceptOf(key);
const wrong = [
  ['no Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': undefined }],
  ['an empty one', { 'Sec-WebSocket-Accept': '' }],
  ['one of another key', { 'Sec-WebSocket-Accept': acceptOf(Buffer.alloc(16).toString('base64')) }],
  ['one in small letters', { 'Sec-WebSocket-Accept': good.toLowerCase() }],
  ['one without padding', { 'Sec-WebSocket-Accept': good.replace('=', '') }],
  ['the key itself', { 'Sec-WebSocket-Accept': key }],
  ['two', { 'Sec-WebSocket-Accept': [good, good] }],
  ['no Upgrade', { Upgrade: undefined }],
  ['Upgrade: h2c', { Upgrade: 'h2c' }],
  ['Upgrade: websocket, h2c', { Upgrade: 'websocket, h2c' }],
  ['two Upgrades', { Upgrade: ['websocket', 'h2c'] }],
  ['no Connection', { Connection: undefined }],
  ['Connection: close', { Connection: 'close' }],
  ['a subprotocol nobody offered', { 'Sec-WebSocket-Protocol': 'third' }],
  ['a subprotocol in other case', { 'Sec-WebSocket-Protocol': 'CHAT' }],
  ['two subprotocols', { 'Sec-WebSocket-Protocol': 'chat, other' }],
  ['two fields of subprotocols', { 'Sec-WebSocket-Protocol': ['chat', 'other'] }],
  ['an extension nobody offered', { 'Sec-WebSocket-Extensions': 'x-other' }],
  ['one extension too many', { 'Sec-WebSocket-Extensions': 'permessage-deflate, x-other' }],
  ['a Content-Length', { 'Content-Length': '2' }],
  ['a Transfer-Encoding', { 'Transfer-Encoding': 'chunked' }],
  ['HTTP/1.0', {}, 'HTTP/1.0'],
];
const offer = { 'Sec-WebSocket-Protocol': 'chat, other', 'Sec-WebSocket-Extensions': 'permessage-deflate' };

describe('a 101 that does not answer the handshake', () => {
  const shared = sharing((world) => Front.start(world, { script: webSockets({ answer: (head) => {
    const [, fields, version = 'HTTP/1.1'] = wrong[Number(head.target.slice(1))];
    return switching(head, fields).replace('HTTP/1.1', version);
  } }) }));

  wrong.forEach(([name], number) => {
    shared.fact(`${name}: 502, no tunnel`, async (front, world) => {
      const reason = 'upgrade_mismatch';
      const before = await front.proxy.metric('limpet_bad_answers_total', { reason });
      const from = front.origin.connections.length;
      const client = await world.connect(front.address);
      client.send(`${upgrade({ target: `/${number}`, ...offer })}early `);
      assert.equal((await client.answer()).status, 502);
      client.socket.write('late');
      await client.ends();
      assert.equal(client.text, '', 'nothing after the 502');
      const server = await front.origin.connection(from + 1);
      await until(() => server.ending, 2000, 'the server\'s connection is closed');
      assert.doesNotMatch(server.text, /early|late/);
      assert.equal(await front.proxy.metric('limpet_bad_answers_total', { reason }), before + 1);
      await until(
        () =>
          front.lines.some(
            (line) => line.includes(`/${number} HTTP`) && / 502 kind=request .* end=server:upgrade_mismatch /.test(line),
          ),
        2000,
        'its line',
      );
    });
  });

  shared.fact('none of it took the server out', async (front) => {
    assert.equal((await front.proxy.server('web', 'a')).state, 'up');
    assert.equal(await front.proxy.metric('limpet_tunnels'), 0);
  });
});

const page = (status, fields = '') => `HTTP/1.1 ${status}\r\nContent-Length: 4\r\n${fields}\r\npage`;
const answers = {
  '/200': page('200 OK'),
  '/302': page('302 Found', 'Location: /\r\n'),
  '/400': page('400 Bad Request'),
  '/401': page('401 Unauthorized', 'WWW-Authenticate: Basic\r\n'),
  '/426': page('426 Upgrade Required', 'Sec-WebSocket-Version: 13\r\n'),
  '/503': page('503 Full'),
  '/chunked': 'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n',
  '/closed': 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 4\r\n\r\npage',
  '/dressed': page('200 OK', `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${good}\r\n`),
};

describe('a handshake that is answered with anything but 101', () => {
  const shared = sharing((world) => Front.start(world, { script: webSockets({ answer: (head) => answers[head.target] }) }));

  for (const target of Object.keys(answers)) {
    shared.fact(`${target} is relayed, and the connection goes on as HTTP`, async (front, world) => {
      const client = await world.connect(front.address);
      const answer = await client.send(upgrade({ target })).answer();
      assert.equal(answer.line, answers[target].split('\r\n')[0]);
      assert.equal(answer.body.toString(), 'page');
      if (target === '/426') assert.equal(answer.headers['sec-websocket-version'], '13');
      if (target === '/dressed') assert.equal(answer.headers.upgrade, undefined);
      if (/close/.test(answer.headers.connection ?? '')) return;
      assert.equal((await client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n').answer()).status, 200);
    });

    for (const [what, held] of [['frames', '\x81\x85\0\0\0\0hello'], ['a request', 'GET /held HTTP/1.1\r\nHost: a\r\n\r\n']]) {
      shared.fact(`${target} with ${what} behind the handshake: never tunnelled`, async (front, world) => {
        const from = front.origin.seen.length;
        const client = await world.connect(front.address);
        client.send(upgrade({ target }) + held);
        assert.equal((await client.answer()).body.toString(), 'page');
        // Either they are read as the next request, or the connection ends.
        await until(() => client.ending || client.received.length, 2000, 'the end, or an answer');
        const rest = front.origin.seen.slice(from).split('\r\n\r\n').slice(1).join('\r\n\r\n');
        if (what === 'frames') assert.equal(rest, '');
        else assert.match(rest, /^$|^GET \/held HTTP\/1\.1\r\nHost: a\r\n[^]*X-Forwarded-For:/);
        assert.equal(await front.proxy.metric('limpet_tunnels'), 0);
      });
    }
  }
});
