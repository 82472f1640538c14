// WebSocket handshakes: which become a tunnel, and that nothing else does.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { block, md5 } from './bulk.mjs';
import { Front, accountFor, refusalTable } from './front.mjs';
import { talk } from './talk.mjs';
import { acceptOf, key, switching, upgrade, webSockets } from './websocket.mjs';

// The server's end of a tunnel sends everything back, and keeps what it took.
const echo = (connection) => {
  const back = () => connection.send(connection.consume(connection.received.length));
  connection.socket.on('data', back);
  connection.socket.on('end', () => connection.socket.end());
  if (connection.received.length) back();
};

// A client whose handshake was answered with 101.
async function tunnelled(world, front, bytes) {
  const client = await world.connect(front.address);
  const answer = await client.send(bytes).head();
  assert.equal(answer.status, 101, answer.line);
  return { client, answer };
}

async function carries(client, text = 'through the tunnel') {
  client.send(text);
  assert.equal((await client.bytes(text.length)).toString('latin1'), text);
}

describe('handshakes that are none', () => {
  // This server would switch for anybody.
  const shared = sharing((world) =>
    Front.start(world, {
      script: webSockets({
        answer: (head) => (head.target === '/ws' ? switching(head) : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
      }),
    }),
  );

  refusalTable(shared, { status: 400, reason: 'upgrade' }, [
    ['POST', upgrade({ method: 'POST' })],
    ['PUT', upgrade({ method: 'PUT' })],
    ['HTTP/1.0', upgrade({ version: 'HTTP/1.0' })],
    ['a body by Content-Length', `${upgrade({ 'Content-Length': '5' })}hello`],
    ['a body in chunks', `${upgrade({ 'Transfer-Encoding': 'chunked' })}5\r\nhello\r\n0\r\n\r\n`],
    ['no version', upgrade({ 'Sec-WebSocket-Version': undefined })],
    ['two versions', upgrade({ 'Sec-WebSocket-Version': ['13', '13'] })],
    ['no key', upgrade({ 'Sec-WebSocket-Key': undefined })],
    ['an empty key', upgrade({ 'Sec-WebSocket-Key': '' })],
    ['a key of 15 bytes', upgrade({ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') })],
    ['a key of 17 bytes', upgrade({ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') })],
    ['a key that is not base64', upgrade({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j!Q==' })],
    ['a key of 24 letters', upgrade({ 'Sec-WebSocket-Key': 'a'.repeat(24) })],
    ['two keys', upgrade({ 'Sec-WebSocket-Key': [key, Buffer.alloc(16).toString('base64')] })],
    ['two keys the same', upgrade({ 'Sec-WebSocket-Key': [key, key] })],
    ['a list of keys', upgrade({ 'Sec-WebSocket-Key': `${key}, ${key}` })],
    ['two Upgrades', upgrade({ Upgrade: ['websocket', 'websocket'] })],
    ['two Upgrades that differ', upgrade({ Upgrade: ['websocket', 'h2c'] })],
    ['a list of protocols', upgrade({ Upgrade: 'websocket, h2c' })],
    ['a list of protocols, the other way round', upgrade({ Upgrade: 'h2c, websocket' })],
    ['a subprotocol that is no token', upgrade({ 'Sec-WebSocket-Protocol': 'a b' })],
  ]);

  for (const version of ['8', '12', '14', '0', '-13', '13.0', '13, 8', 'x', '']) {
    shared.fact(`version "${version}": 426 with the one that is spoken`, async (front) => {
      const answer = await front.refuses(upgrade({ 'Sec-WebSocket-Version': version }), { status: 426, reason: 'websocket_version' });
      assert.equal(answer.headers['sec-websocket-version'], '13');
    });
  }

  accountFor(shared);
});

describe('other upgrades', () => {
  const shared = sharing((world) => Front.start(world, { script: webSockets({ answer: () => undefined }) }));

  for (const [name, fields] of [
    [
      'h2c',
      {
        Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
        'Sec-WebSocket-Key': undefined, 'Sec-WebSocket-Version': undefined,
      },
    ],
    ['h2c with the fields of a WebSocket', { Upgrade: 'h2c' }],
    ['TLS', { Upgrade: 'TLS/1.2' }],
    ['a WebSocket that Connection does not name', { Connection: 'keep-alive' }],
    ['a WebSocket without Connection', { Connection: undefined }],
    ['Connection: Upgrade without Upgrade', { Upgrade: undefined }],
    ['websockets', { Upgrade: 'websockets' }],
    ['websocket/13', { Upgrade: 'websocket/13' }],
  ]) {
    shared.fact(`${name} is an ordinary request, without Upgrade`, async (front) => {
      const from = front.origin.seen.length;
      const { answers } = await talk(front.address, upgrade({ target: '/plain', ...fields }), { count: 1 });
      const seen = front.origin.seen.slice(from);
      assert.ok([200, 400].includes(answers[0].status), answers[0].line);
      assert.doesNotMatch(seen, /\r\n(Upgrade|HTTP2-Settings):|\r\nConnection: .*upgrade/i);
    });
  }
});

describe('a server that switches unasked', () => {
  const shared = sharing((world) => Front.start(world, { script: async (connection) => {
    await connection.head();
    connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  } }));
  for (const [name, fields] of [['h2c', { Upgrade: 'h2c' }], ['nothing', { Upgrade: undefined, Connection: undefined }]]) {
    shared.fact(`after an upgrade to ${name}: 502, no tunnel`, async (front, world) => {
      const client = await world.connect(front.address);
      const from = front.origin.seen.length;
      client.send(upgrade({ target: '/any', ...fields }));
      assert.equal((await client.answer()).status, 502);
      client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      await client.ends();
      assert.doesNotMatch(front.origin.seen.slice(from), /PRI/);
    });
  }
});

describe('handshakes', () => {
  const shared = sharing((world) => Front.start(world, { script: webSockets({
    then: echo,
    answer: (head) => switching(head, {
      'X-Extra': '1', 'Set-Cookie': 'own=1',
      ...(head.headers['sec-websocket-protocol'] && { 'Sec-WebSocket-Protocol': 'chat' }),
      ...(head.headers['sec-websocket-extensions'] && { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover' }),
    }),
  }) }));

  for (const [name, fields] of [
    ['as RFC 6455 has them', {}],
    ['in odd case', { Connection: 'uPGRADE', Upgrade: 'WebSOCKET' }],
    ['with Connection: keep-alive, Upgrade', { Connection: 'keep-alive, Upgrade' }],
    ['with two fields Connection', { Connection: ['keep-alive', 'upgrade'] }],
    ['with odd white space', { Connection: ' \t keep-alive\t,\tUpgrade ', Upgrade: '\t websocket \t' }],
    ['with a Content-Length of 0', { 'Content-Length': '0' }],
    ['in absolute-form', { target: 'http://b.example/ws' }],
    ['with a key of other bytes', { 'Sec-WebSocket-Key': Buffer.alloc(16, 255).toString('base64') }],
    [
      'with subprotocols and extensions',
      {
        'Sec-WebSocket-Protocol': ['other, chat', 'third'],
        'Sec-WebSocket-Extensions': 'x-unknown, permessage-deflate; client_max_window_bits',
      },
    ],
  ]) {
    shared.fact(`${name}: the server sees a clean one, the client its 101, and bytes flow`, async (front, world) => {
      const from = front.origin.connections.length;
      const { client, answer } = await tunnelled(world, front, upgrade(fields));
      const used = fields['Sec-WebSocket-Key'] ?? key;
      assert.equal(answer.headers['sec-websocket-accept'], acceptOf(used));
      assert.match(answer.headers.connection, /^upgrade$/i);
      assert.match(answer.headers.upgrade, /^websocket$/i);
      assert.equal(answer.headers['x-extra'], '1');
      assert.match(answer.headers['set-cookie'], /own=1/);
      if (fields['Sec-WebSocket-Protocol']) {
        assert.equal(answer.headers['sec-websocket-protocol'], 'chat');
        assert.equal(answer.headers['sec-websocket-extensions'], 'permessage-deflate; client_no_context_takeover');
      }
      await front.origin.connection(from + 1);
      const seen = front.origin.seen.slice(front.origin.seen.lastIndexOf('GET /ws '));
      assert.match(seen, /\r\nConnection: Upgrade\r\n/i);
      assert.equal(seen.match(/^upgrade:/gim).length, 1);
      assert.match(seen, /\r\nUpgrade: websocket\r\n/);
      assert.ok(seen.includes(`\r\nSec-WebSocket-Key: ${used}\r\n`));
      await carries(client);
    });
  }

  shared.fact('frames in the packet of the head are delivered, first', async (front, world) => {
    const { client } = await tunnelled(world, front, `${upgrade()}first frame`);
    assert.equal((await client.bytes(11)).toString(), 'first frame');
    await carries(client);
  });

  shared.fact('a handshake in pieces of a byte, with frames behind it', async (front, world) => {
    const client = await world.connect(front.address);
    for (const byte of `${upgrade()}frames`) await new Promise((sent) => { client.socket.write(byte, sent); });
    assert.equal((await client.head()).status, 101);
    assert.equal((await client.bytes(6)).toString(), 'frames');
  });
});

describe('bytes around the 101', () => {
  const state = {};
  const shared = sharing((world) => Front.start(world, { script: webSockets({ answer: (head, connection) => {
    state.head = head;
    state.connection = connection;
    connection.socket.on('end', () => connection.socket.end());
    return undefined;
  } }) }));
  const begin = async (world, front, bytes) => {
    state.connection = undefined;
    const client = (await world.connect(front.address)).send(bytes);
    await until(() => state.connection, 2000, 'the handshake arrives');
    return { client, server: state.connection, head: state.head };
  };

  shared.fact('what comes before it is held back, then delivered in order', async (front, world) => {
    const { client, server, head } = await begin(world, front, `${upgrade()}one `);
    client.send('two ');
    await holds(() => server.received.length === 0, 100, 'nothing before the 101');
    client.send('three ');
    server.send(switching(head));
    assert.equal((await client.head()).status, 101);
    client.send('four');
    await server.reads((c) => c.received.length >= 18);
    assert.equal(server.text, 'one two three four');
  });

  shared.fact('frames in the packet of the 101 are delivered, in order', async (front, world) => {
    const { client, server, head } = await begin(world, front, upgrade());
    server.send(`${switching(head)}one two`);
    server.send(' three');
    assert.equal((await client.head()).status, 101);
    assert.equal((await client.bytes(13)).toString(), 'one two three');
  });

  shared.fact('both at once', async (front, world) => {
    const { client, server, head } = await begin(world, front, `${upgrade()}up`);
    server.send(`${switching(head)}down`);
    await client.head();
    assert.equal((await client.bytes(4)).toString(), 'down');
    assert.equal((await server.bytes(2)).toString(), 'up');
  });

  shared.fact('2 MiB in the packet of the 101', async (front, world) => {
    const bytes = block(2 << 20);
    const { client, server, head } = await begin(world, front, upgrade());
    server.send(Buffer.concat([Buffer.from(switching(head)), bytes]));
    await client.head();
    assert.equal(md5(await client.bytes(bytes.length, 10_000)), md5(bytes));
  });

  shared.fact('8 MiB before the 101: held within bounds, all delivered after it', async (front, world) => {
    const bytes = block(8 << 20);
    const { client, server, head } = await begin(world, front, Buffer.concat([Buffer.from(upgrade()), bytes]));
    await holds(() => server.received.length === 0, 100, 'nothing before the 101');
    assert.ok(client.socket.writableLength > 0, 'the client is not read without end');
    server.send(switching(head));
    await client.head();
    assert.equal(md5(await server.bytes(bytes.length, 10_000)), md5(bytes));
  });

  shared.fact('a server that goes before its 101: 502, and what was held goes nowhere', async (front, world) => {
    const from = front.origin.seen.length;
    const { client, server } = await begin(world, front, `${upgrade()}GET /held HTTP/1.1\r\nHost: a\r\n\r\n`);
    server.destroy();
    assert.equal((await client.answer()).status, 502);
    await client.ends();
    assert.equal(client.text, '');
    assert.doesNotMatch(front.origin.seen.slice(from), /held/);
  });

  shared.fact('a client that goes before the 101 takes the server\'s connection with it', async (front, world) => {
    const { client, server } = await begin(world, front, upgrade());
    client.destroy();
    await until(() => server.ending, 2000, 'the server\'s connection is closed');
  });

  shared.fact('1xx before the 101 pass', async (front, world) => {
    const { client, server, head } = await begin(world, front, upgrade());
    server.send(`HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${switching(head)}`);
    assert.equal((await client.head()).status, 103);
    assert.equal((await client.head()).status, 101);
  });
});
