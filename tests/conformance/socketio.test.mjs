// The requirements of the Socket.IO 5 suite, by their numbers there; 1 to 16 are those of transports.
import assert from 'node:assert/strict';
import { slowness } from '../e2e/lib/deadline.mjs';
import { Polling, Socket } from './lib/engine_client.mjs';
import { onBothSides } from './lib/requirements.mjs';
import { brisk } from './lib/servers.mjs';
import { endings, handshakes, heartbeats, upgrades } from './lib/transport_facts.mjs';

const options = { path: '/socket.io/', eio: '4' };
const sidOnly = /^\{"sid":"[A-Za-z0-9_-]{20}"\}$/;

// A WebSocket without namespaces, then one in '/' that has read what it is greeted with.
const opened = async (server, world) => world.own(await Socket.open(server, options));
async function connected(server, world) {
  const socket = await opened(server, world);
  await joins(socket, '40', '');
  return socket;
}

// Sends a CONNECT and reads its answer and the event that shows the auth payload.
async function joins(socket, packet, namespace, auth = '{}') {
  socket.send(packet);
  const answer = await socket.next();
  assert.ok(answer.startsWith(`40${namespace}`), answer);
  assert.match(answer.slice(2 + namespace.length), sidOnly);
  assert.equal(await socket.next(), `42${namespace}["auth",${auth}]`);
}

async function says(socket, ...messages) {
  for (const message of messages) assert.deepEqual(await socket.next(), message);
}

async function exchange(socket, sent, wanted) {
  for (const message of sent) socket.send(message);
  await says(socket, ...wanted);
}

const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
const attachments = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];

onBothSides('Engine.IO of Socket.IO', ['socketio_server'], (fact) => {
  handshakes(fact, options);
  endings(fact, options);
  upgrades(fact, options, async (socket) => {
    await joins(socket, '40/custom,', '/custom,');
    socket.send('41/custom,');
  });
});

onBothSides('heartbeats of Socket.IO', ['socketio_server', ...brisk], (fact) => {
  heartbeats(fact, options);

  fact('24: who leaves the main namespace stays connected', async (server, world) => {
    const socket = await connected(server, world);
    socket.pongs = false;
    await exchange(socket, ['41'], ['2']);
  });
});

onBothSides('who joins no namespace', ['socketio_server', '--connect-timeout', `${1000 * slowness}`, ...brisk], (fact) => {
  fact('23: is closed', async (server, world) => {
    const socket = world.own(await Socket.open(server, { ...options, pongs: false }));
    await socket.closes();
  });

  fact('23a: is closed though its heart beats', async (server, world) => {
    await (await opened(server, world)).closes();
  });
});

onBothSides('Socket.IO 5', ['socketio_server'], (fact) => {
  fact('17: the main namespace', async (server, world) => {
    await joins(await opened(server, world), '40', '');
  });

  fact('18: the main namespace, with a payload', async (server, world) => {
    await joins(await opened(server, world), '40{"token":"123"}', '', '{"token":"123"}');
  });

  fact('19: another namespace', async (server, world) => {
    await joins(await opened(server, world), '40/custom,', '/custom,');
  });

  fact('20: another namespace, with a payload', async (server, world) => {
    await joins(await opened(server, world), '40/custom,{"token":"abc"}', '/custom,', '{"token":"abc"}');
  });

  fact('21: an unknown namespace is refused', async (server, world) => {
    await exchange(await opened(server, world), ['40/random'], ['44/random,{"message":"Invalid namespace"}']);
  });

  fact('25: who leaves a namespace stays in the others', async (server, world) => {
    const socket = await connected(server, world);
    await joins(socket, '40/custom,', '/custom,');
    await exchange(socket, ['41/custom', '42["message","hi"]'], ['42["message-back","hi"]']);
  });

  fact('26: an event', async (server, world) => {
    await exchange(await connected(server, world), ['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']);
  });

  fact('27: an event with binary', async (server, world) => {
    const socket = await connected(server, world);
    await exchange(socket, [`452-["message",${placeholders}]`, ...attachments], [`452-["message-back",${placeholders}]`, ...attachments]);
  });

  fact('28: an acknowledgement', async (server, world) => {
    const socket = await connected(server, world);
    await exchange(socket, ['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]']);
  });

  fact('29: an acknowledgement with binary', async (server, world) => {
    const socket = await connected(server, world);
    await exchange(socket, [`452-789["message-with-ack",${placeholders}]`, ...attachments], [`462-789[${placeholders}]`, ...attachments]);
  });

  fact('22: an invalid first packet closes', async (server, world) => {
    const socket = await opened(server, world);
    socket.send('4abc');
    await socket.closes();
  });

  for (const [number, packet] of [[30, '4abc'], [31, '42{}'], [32, '42abc["message-with-ack",1,"2",{"3":[false]}]']]) {
    fact(`${number}: ${packet} closes`, async (server, world) => {
      const socket = await connected(server, world);
      socket.send(packet);
      assert.deepEqual(await socket.closes(), { code: 1005, reason: '' });
    });
  }

  fact('26 to 29 by polling', async (server) => {
    const session = await Polling.open(server, options);
    await session.post('40');
    const greeting = await session.packets();
    if (greeting.length === 1) greeting.push(...await session.packets());
    assert.equal(greeting[1], '42["auth",{}]');
    await session.post(
      ['42["message",1]', '427["message-with-ack",2]', `452-8["message-with-ack",${placeholders}]`, 'bAQID', 'bBAUG'].join(
        '\x1e',
      ),
    );
    assert.deepEqual(await session.packets(), ['42["message-back",1]', '437[2]', `462-8[${placeholders}]`, 'bAQID', 'bBAUG']);
  });
});
