// The requirements of the Engine.IO suite, revisions 4 and 3, by their numbers there.
import assert from 'node:assert/strict';
import { Polling, Socket, query } from './lib/engine_client.mjs';
import { onBothSides } from './lib/requirements.mjs';
import { brisk } from './lib/servers.mjs';
import { endings, handshakes, heartbeats, payload, upgrades } from './lib/transport_facts.mjs';

const bytes = Buffer.from([1, 2, 3, 4]);

async function echoes(socket) {
  socket.send('4hello');
  assert.equal(await socket.next(), '4hello');
}

// What both revisions say with their own words.
function messages(fact, options) {
  const said = (...packets) => payload(options.eio, ...packets);

  fact('8: a message by polling', async (server) => {
    const session = await Polling.open(server, options);
    const { status, text } = await session.post(said('4hello'));
    assert.deepEqual([status, text], [200, 'ok']);
    assert.equal((await session.get()).text, said('4hello'));
  });

  fact('9: three messages in one payload', async (server) => {
    const session = await Polling.open(server, options);
    const packets = said('4test1', '4test2', '4€uro');
    assert.equal((await session.post(packets)).text, 'ok');
    assert.equal((await session.get()).text, packets);
  });

  fact('11: an invalid packet by polling ends the session', async (server) => {
    const session = await Polling.open(server, options);
    await session.post('abc');
    assert.equal((await session.get()).status, 400);
  });

  fact('14: text by WebSocket', async (server, world) => {
    await echoes(world.own(await Socket.open(server, options)));
  });

  fact('16: an invalid packet by WebSocket ends the session', async (server, world) => {
    const socket = world.own(await Socket.open(server, options));
    socket.send('abc');
    await socket.closes();
  });
}

onBothSides('Engine.IO 4', ['engine_server'], (fact) => {
  const options = { eio: '4' };
  handshakes(fact, options);
  messages(fact, options);
  endings(fact, options);
  upgrades(fact, options, echoes);

  fact('10: text and binary in one payload', async (server) => {
    const session = await Polling.open(server);
    await session.post('4hello\x1ebAQIDBA==');
    assert.equal((await session.get()).text, '4hello\x1ebAQIDBA==');
  });

  fact('12: two polls at the same time end the session', async (server) => {
    const session = await Polling.open(server);
    const polls = await Promise.all([session.get(), session.get()]);
    assert.deepEqual(polls.map(({ status, text }) => [status, text]).sort(), [[200, '1'], [400, '']]);
    assert.equal((await session.get()).status, 400);
  });

  fact('13: a poll that is given up ends the session', async (server, world) => {
    const session = await Polling.open(server);
    const poll = await world.connect(server.address);
    poll.send(`GET /engine.io/?${query(session.keys)} HTTP/1.1\r\nHost: a\r\n\r\n`).destroy();
    await session.gone();
  });

  fact('15: binary by WebSocket', async (server, world) => {
    const socket = world.own(await Socket.open(server));
    socket.send(bytes);
    assert.deepEqual(await socket.next(), bytes);
  });
});

onBothSides('heartbeats of Engine.IO 4', ['engine_server', ...brisk], (fact) => heartbeats(fact, { eio: '4' }));
onBothSides('heartbeats of Engine.IO 3', ['engine_server', '--eio3', ...brisk], (fact) => heartbeats(fact, { eio: '3' }));

onBothSides('Engine.IO 3', ['engine_server', '--eio3'], (fact) => {
  const options = { eio: '3' };
  handshakes(fact, options);
  messages(fact, options);
  endings(fact, options);
  upgrades(fact, options, echoes);

  fact('10a: text and binary of a client that wants base64', async (server) => {
    const session = await Polling.open(server, { ...options, b64: '1' });
    await session.post('6:4hello10:b4AQIDBA==');
    const { text, headers } = await session.get();
    assert.deepEqual([text, headers.get('content-type')], ['6:4hello10:b4AQIDBA==', 'text/plain; charset=UTF-8']);
  });

  fact('10b: text and binary as bytes', async (server) => {
    const session = await Polling.open(server, options);
    const packets = Buffer.concat([Buffer.from([0, 6, 0xff]), Buffer.from('4hello'), Buffer.from([1, 5, 0xff, 4]), bytes]);
    await session.post(packets, { headers: { 'Content-Type': 'application/octet-stream' } });
    const answer = await session.get();
    assert.deepEqual([answer.bytes, answer.headers.get('content-type')], [packets, 'application/octet-stream']);
  });

  fact('15: binary by WebSocket, with its type', async (server, world) => {
    const socket = world.own(await Socket.open(server, options));
    const packet = Buffer.concat([Buffer.from([4]), bytes]);
    socket.send(packet);
    assert.deepEqual(await socket.next(), packet);
  });
});
