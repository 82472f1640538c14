// What ends a session, what a client is told then, and what passes on the way from polling to WebSocket, beside Node.js.
import { sameOnBothSides, masked } from './lib/compare.mjs';
import { Polling, Socket, query } from './lib/engine_client.mjs';
import { until } from '../e2e/lib/deadline.mjs';

const small = ['--max-payload', '100000'];
const seen = ({ status, text }) => [status, text];

// Posts a body with a poll waiting or not; then polls until the session is gone, or a marker comes back.
async function afterPosting(server, body, { options = {}, waiting = false, headers, marker = '4marker' } = {}) {
  const session = await Polling.open(server, options);
  const told = { polls: [] };
  const poll = waiting ? (await session.pollFirst()).answer : undefined;
  told.post = seen(await session.post(body, { headers }));
  if (poll) told.polls.push(seen(await poll));
  told.marker = seen(await session.post(marker));
  for (let last = 200; last === 200 && !told.polls.some(([, text]) => text.includes('4marker'));) {
    const answer = await session.get();
    last = answer.status;
    told.polls.push(seen(answer));
  }
  return masked(told);
}

const bodies = {
  'a message': '4a',
  'nothing': '',
  'an empty message': '4',
  'three messages': '4a\x1e4b\x1e4c',
  'an unknown type': '7',
  'a letter': 'abc',
  'a message, then a letter': '4a\x1eabc\x1e4b',
  'a separator at the end': '4a\x1e',
  'a separator at the start': '\x1e4a',
  'separators alone': '\x1e\x1e',
  'a ping': '2',
  'a ping with data': '2probe',
  'a pong': '3',
  'an open packet': '0',
  'an upgrade': '5',
  'a noop': '6',
  'a close': '1',
  'a close between messages': '4a\x1e1\x1e4b',
  'a ping between messages': '4a\x1e2\x1e4b',
  'binary': 'bAQIDBA==',
  'binary without padding': 'bAQIDBA',
  'binary in the other alphabet': 'b-_-_',
  'binary with a stray character': 'bAQ*IDBA==',
  'binary of nothing': 'b',
  'binary with white space': 'bAQID\nBA==',
  'binary of one character': 'bA',
  'binary with bytes after the padding': 'bAQ==AQ==',
  'text beyond ASCII': '4€ü𝄞',
  'text that is not UTF-8': Buffer.from('34c328', 'hex'),
  'text that is cut': Buffer.from('34e282', 'hex'),
  'a NUL': '4a\0b',
  'the longest body': `4${'a'.repeat(99_999)}`,
  'a body that is too long': `4${'a'.repeat(100_000)}`,
  'many messages': Array.from({ length: 1000 }, (_, i) => `4${i}`).join('\x1e'),
};

sameOnBothSides('bodies', ['engine_server', ...small], (same) => {
  for (const [name, body] of Object.entries(bodies)) {
    same(name, (server) => afterPosting(server, body));
    same(`${name}, with a poll waiting`, async (server) => {
      const quiet = ['a pong', 'an open packet', 'an upgrade', 'a noop', 'a body that is too long'].includes(name);
      return quiet ? 'nothing would answer the poll' : afterPosting(server, body, { waiting: true });
    });
  }
  same('bytes', (server) => afterPosting(server, '4a', { headers: { 'Content-Type': 'application/octet-stream' } }));
  same('bytes, with a poll waiting', (server) =>
    afterPosting(server, '4a', { waiting: true, headers: { 'Content-Type': 'application/octet-stream' } }),
  );
  const form = { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
  for (const body of [
    'd=4hello', `d=${encodeURIComponent('4€ a+b')}`, 'd=4a+b', 'd=4a%5C%5Cnb', 'd=4a%5C%5C%5C%5Cnb', 'd=4a%5Cnb', 'd=',
    'x=4a', '4a', 'd=4a&d=4b', 'd=4%zz',
  ]) {
    same(`JSONP: ${body}`, (server) => afterPosting(server, body, { options: { j: '3' }, ...form, marker: 'd=4marker' }));
  }
});

const three = (...packets) => packets.map((one) => `${one.length}:${one}`).join('');
const counted = (type, ...digits) => Buffer.from([type, ...digits, 0xff]);
const octets = { headers: { 'Content-Type': 'application/octet-stream' } };
sameOnBothSides('bodies of revision 3', ['engine_server', '--eio3', ...small], (same) => {
  const said = {
    'a message': three('4a'),
    'three messages': three('4a', '4b', '4c'),
    'text beyond ASCII': '6:4hello2:4€4:4𝄞!',
    'no length': '4a',
    'a length that is too long': '5:4a',
    'a length that is too short': '1:4a',
    'a length of nothing': ':4a',
    'a length of zero': '0:',
    'a length with a sign': '-2:4a',
    'a length that is no number': 'x:4a',
    'a length with a zero before it': '02:4a',
    'a ping': three('2'),
    'a ping with data': three('2probe'),
    'a pong': three('3'),
    'a close': three('1'),
    'an unknown type': three('9'),
    'a message, then an unknown type': three('4a', '9', '4b'),
    'nothing': '',
    'binary': three('b4AQIDBA=='),
    'binary without its type': three('bAQIDBA=='),
    'binary of nothing': three('b4'),
  };
  for (const [name, body] of Object.entries(said)) {
    for (const b64 of [undefined, '1']) {
      same(`${name}${b64 ? ', base64 alone' : ''}`, (server) =>
        afterPosting(server, body, { options: { eio: '3', b64 }, marker: three('4marker') }),
      );
    }
  }
  const raw = {
    'a text': Buffer.concat([counted(0, 3), Buffer.from('4ab')]),
    'a binary': Buffer.concat([counted(1, 3), Buffer.from('04ffee', 'hex')]),
    'a text and a binary': Buffer.concat([counted(0, 4), Buffer.from('4€'), counted(1, 1, 0), Buffer.from('04112233445566778899', 'hex')]),
    'no end of a length': Buffer.from([0, 1, 2, 3]),
    'a length that is too long': Buffer.concat([counted(0, 9), Buffer.from('4a')]),
    'an unknown kind': Buffer.concat([counted(2, 2), Buffer.from('4a')]),
    'a digit that is none': Buffer.concat([counted(0, 12), Buffer.from('4a'.repeat(6))]),
    'a binary of nothing': Buffer.concat([counted(1, 1), Buffer.from([4])]),
  };
  for (const [name, body] of Object.entries(raw)) {
    same(`bytes: ${name}`, async (server) => {
      const session = await Polling.open(server, { eio: '3' });
      const post = seen(await session.post(body, octets));
      const marker = seen(await session.post(three('4marker')));
      const { status, bytes, headers } = await session.get();
      return { post, marker, poll: [status, bytes.toString('latin1'), headers.get('content-type')] };
    });
  }
});

sameOnBothSides('requests at the same time', ['engine_server', ...small], (same) => {
  same('two polls', async (server) => {
    const session = await Polling.open(server);
    const polls = await Promise.all([session.get(), session.get()]);
    return [polls.map(seen).sort(), seen(await session.get())];
  });

  same('a second POST while one is read', async (server, world) => {
    const session = await Polling.open(server);
    const target = `/engine.io/?${query(session.keys)}`;
    const first = await world.connect(server.address);
    first.send(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nContent-Type: text/plain\r\n\r\n4half`);
    // A third of them finds nobody once the second has ended the session.
    const second = await until(async () => {
      const answer = await session.post('4b');
      return answer.status !== 200 && answer;
    }, 5000, 'a POST is refused');
    return [seen(second), await first.ends().then(() => first.text), seen(await session.get())];
  });

  same('a POST that is given up', async (server, world) => {
    const session = await Polling.open(server);
    const connection = await world.connect(server.address);
    connection.send(`POST /engine.io/?${query(session.keys)} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4half`).destroy();
    await session.gone();
    return seen(await session.get());
  });

  same('a body in chunks', async (server, world) => {
    const session = await Polling.open(server);
    const connection = await world.connect(server.address);
    connection.send(
      `POST /engine.io/?${query(session.keys)} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n4he\r\n3\r\nllo\r\n0\r\n\r\n`,
    );
    return [(await connection.answer()).body.toString(), seen(await session.get())];
  });

  same('a body in chunks that is too long', async (server, world) => {
    const session = await Polling.open(server);
    const connection = await world.connect(server.address);
    connection.send(`POST /engine.io/?${query(session.keys)} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 11; i += 1) connection.send(`2710\r\n${'4'.repeat(10_000)}\r\n`);
    connection.send('0\r\n\r\n');
    const { status, body } = await connection.answer();
    await session.post('4after');
    return [status, body.toString(), seen(await session.get())];
  });

  same('keep-alive: several requests of a session on one connection', async (server, world) => {
    const { keys } = await Polling.open(server);
    const target = `/engine.io/?${query(keys)}`;
    const connection = await world.connect(server.address);
    const told = [];
    for (const text of ['4a', '4bc']) {
      connection.send(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      told.push((await connection.answer()).body.toString());
      connection.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      told.push((await connection.answer()).body.toString());
    }
    return told;
  });
});

// What a candidate says after `sent`, and whether the session still polls then.
async function candidate(server, world, sent, { finish = true } = {}) {
  const session = await Polling.open(server);
  const socket = world.own(await session.websocket({ pongs: false }).opens());
  for (const message of sent) socket.send(message);
  if (finish) await until(() => socket.closed || socket.received.length, 5000, 'the candidate hears something');
  return { session, socket };
}

sameOnBothSides('upgrades', ['engine_server', ...small], (same) => {
  for (const sent of [['4a'], ['2'], ['2prob'], ['3probe'], ['abc'], [Buffer.from('2probe')], [''], ['1'], ['0'], ['6']]) {
    same(`a candidate that says ${JSON.stringify(sent)}`, async (server, world) => {
      const { session, socket } = await candidate(server, world, sent);
      const closed = await socket.closes();
      await session.post('4still here');
      return [socket.received, closed, seen(await session.get())];
    });
  }

  same('a probe, then a message', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['2probe', '4a']);
    const closed = await socket.closes();
    await session.post('4still here');
    return [socket.received, closed, seen(await session.get())];
  });

  same('two probes', async (server, world) => {
    const { socket } = await candidate(server, world, ['2probe', '2probe']);
    await until(() => socket.received.length === 2 || socket.closed, 5000, 'both are answered');
    return [socket.received, socket.closed];
  });

  same('an upgrade without a probe', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['5', '4a']);
    return [await socket.next(), seen(await session.get())];
  });

  same('a poll that waits when the upgrade comes', async (server, world) => {
    const session = await Polling.open(server);
    const { answer: poll } = await session.pollFirst();
    const socket = world.own(await session.websocket({ pongs: false }).opens());
    socket.send('5');
    socket.send('4a');
    return [await socket.next(), seen(await poll)];
  });

  same('messages on both ways during an upgrade', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['2probe']);
    const told = [socket.received.splice(0)];
    await session.post('4one');
    told.push((await session.packets()).filter((packet) => packet !== '6'));
    await session.post('4two'); // its echo waits for a poll, and leaves on the new transport
    socket.send('5');
    socket.send('4three');
    told.push([await socket.next(), await socket.next()]);
    return told;
  });

  same('a second candidate while the first probes', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['2probe']);
    const second = world.own(session.websocket({ pongs: false }));
    const closed = await second.closes();
    socket.send('5');
    socket.send('4a');
    return [socket.received.shift(), second.received, closed, await socket.next()];
  });

  same('a candidate whose session ends', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['2probe']);
    await session.post('1');
    return [socket.received, await socket.closes()];
  });

  same('a second WebSocket of a session that began as one', async (server, world) => {
    const first = world.own(await Socket.open(server, { pongs: false }));
    const second = world.own(await Socket.to(server, { sid: first.handshake.sid, pongs: false }).opens());
    second.send('2probe');
    return [await second.next()];
  });

  same('a poll of a session that began as a WebSocket', async (server, world) => {
    const { handshake } = world.own(await Socket.open(server));
    return seen(await new Polling(server, { sid: handshake.sid }).get());
  });
});

sameOnBothSides('upgrades that come to nothing', ['engine_server', '--upgrade-timeout', '1000', ...small], (same) => {
  same('a candidate that says nothing', async (server, world) => {
    const { session, socket } = await candidate(server, world, [], { finish: false });
    const closed = await socket.closes();
    await session.post('4still here');
    return [closed, seen(await session.get())];
  });

  same('a candidate that only probes', async (server, world) => {
    const { session, socket } = await candidate(server, world, ['2probe']);
    const closed = await socket.closes();
    await session.post('4still here');
    return [socket.received, closed, seen(await session.get())];
  });
});

sameOnBothSides('packets by WebSocket', ['engine_server', ...small], (same) => {
  for (const packet of [
    '', '0', '1', '2', '2probe', '3', '3x', '5', '6', '7', 'abc', 'bAQIDBA==', 'b', '4', '4a', Buffer.alloc(0),
    Buffer.from('4a'),
  ]) {
    same(`${Buffer.isBuffer(packet) ? 'binary ' : ''}${JSON.stringify(packet)}`, async (server, world) => {
      const socket = world.own(await Socket.open(server, { pongs: false }));
      socket.send(packet);
      socket.send('4the last of them');
      await until(() => socket.closed || socket.received.includes('4the last of them'), 5000, 'an echo or a close');
      return [socket.received, socket.closed];
    });
  }
});

sameOnBothSides('packets by WebSocket, revision 3', ['engine_server', '--eio3', ...small], (same) => {
  for (const b64 of [undefined, '1']) {
    for (const packet of [
      '', '0', '1', '2', '2data', '3', '5', '6', '7', 'b4AQIDBA==', '4a', Buffer.alloc(0), Buffer.from([4, 1, 2]),
      Buffer.from([4]), Buffer.from([9, 1]), Buffer.from('4a'),
    ]) {
      same(
        `${b64 ? 'base64 alone, ' : ''}${Buffer.isBuffer(packet) ? 'binary ' : ''}${JSON.stringify(packet)}`,
        async (server, world) => {
          const socket = world.own(
            new Socket(`${server.url}/engine.io/`, { EIO: '3', transport: 'websocket', b64 }, { pongs: false }),
          );
          await socket.next();
          socket.send(packet);
          socket.send('4the last of them');
          await until(() => socket.closed || socket.received.includes('4the last of them'), 5000, 'an echo or a close');
          return [socket.received, socket.closed];
        },
      );
    }
  }
});
