// What the suites of Engine.IO and of Socket.IO both ask of transports.
import assert from 'node:assert/strict';
import { within } from '../../e2e/lib/deadline.mjs';
import { Polling, Socket } from './engine_client.mjs';
import { clocks } from './servers.mjs';

// Revision 3 counts before each packet of a text payload, in UTF-16 units.
export const payload = (eio, ...packets) => (eio === '3' ? packets.map((one) => `${one.length}:${one}`).join('') : packets.join('\x1e'));

const refused = async (server, options, keys, method = 'GET') => {
  const { status } = await new Polling(server, options).request(method, { keys });
  assert.equal(status, 400);
};

export function handshakes(fact, options) {
  const { eio } = options;

  fact('1: a handshake by polling is answered with the five keys', async (server) => {
    const { status, text } = await new Polling(server, options).get();
    assert.equal(status, 200);
    const packet = eio === '3' ? text.slice(text.indexOf(':') + 1) : text;
    if (eio === '3') assert.equal(Number(text.split(':')[0]), packet.length);
    assert.equal(packet[0], '0');
    const { sid, ...rest } = JSON.parse(packet.slice(1));
    assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
    assert.deepEqual(rest, { upgrades: ['websocket'], ...clocks, maxPayload: 1000000 });
    assert.deepEqual(Object.keys(JSON.parse(packet.slice(1))), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
  });

  if (eio === '4') {
    fact('2: a handshake by polling with a missing or unknown EIO is refused', async (server) => {
      await refused(server, options, { EIO: null });
      await refused(server, options, { EIO: 'abc' });
    });
  }

  fact('3: a handshake by polling with a missing or unknown transport is refused', async (server) => {
    await refused(server, options, { transport: null });
    await refused(server, options, { transport: 'abc' });
  });

  fact('4: a handshake by POST or PUT is refused', async (server) => {
    await refused(server, options, {}, 'POST');
    await refused(server, options, {}, 'PUT');
  });

  fact('5: a handshake by WebSocket is answered with the five keys, and no upgrades', async (server, world) => {
    const socket = world.own(await Socket.open(server, options));
    const { sid, ...rest } = socket.handshake;
    assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
    assert.deepEqual(rest, { upgrades: [], ...clocks, maxPayload: 1000000 });
  });

  if (eio === '4') {
    fact('6: a WebSocket with a missing or unknown EIO is closed', async (server, world) => {
      for (const wrong of [null, 'abc']) await world.own(Socket.to(server, { ...options, eio: wrong })).closes();
    });
  }

  fact('7: a WebSocket with a missing or unknown transport is closed', async (server, world) => {
    for (const transport of [null, 'abc']) {
      const socket = world.own(Socket.to(server, { ...options, transport }));
      await socket.closes();
      assert.equal(socket.opened, undefined);
    }
  });
}

// Of servers that are brisk.
export function heartbeats(fact, options) {
  const { eio } = options;
  const [ping, pong] = eio === '3' ? ['3', '2'] : ['2', '3']; // what the server says, what the client says

  fact('17: three rounds of pings by polling', async (server) => {
    const session = await Polling.open(server, options);
    for (let round = 0; round < 3; round += 1) {
      if (eio === '3') assert.equal((await session.post('1:2')).text, 'ok');
      const { status, text } = await session.get();
      assert.deepEqual({ status, text }, { status: 200, text: payload(eio, ping) });
      if (eio === '4') assert.equal((await session.post('3')).status, 200);
    }
  });

  fact('18: a session by polling without pongs ends', async (server) => {
    const session = await Polling.open(server, options);
    await session.gone();
    const { status, text } = await session.get();
    assert.deepEqual({ status, text }, { status: 400, text: '{"code":1,"message":"Session ID unknown"}' });
  });

  fact('19: three rounds of pings by WebSocket', async (server, world) => {
    const socket = world.own(await Socket.open(server, { ...options, pongs: false }));
    for (let round = 0; round < 3; round += 1) {
      if (eio === '3') socket.send(pong);
      assert.equal(await socket.next(), ping);
      if (eio === '4') socket.send(pong);
    }
  });

  fact('20: a session by WebSocket without pongs is closed', async (server, world) => {
    const socket = world.own(await Socket.open(server, { ...options, pongs: false }));
    assert.deepEqual(await socket.closes(), { code: 1005, reason: '' });
  });

  // The packet alone ends nothing by WebSocket: silence does.
  fact('22: a session by WebSocket is ended by its client', async (server, world) => {
    const socket = world.own(await Socket.open(server, { ...options, pongs: false }));
    socket.send('1');
    await socket.closes();
  });
}

export function endings(fact, options) {
  const { eio } = options;

  fact('21: a session by polling is ended by its client', async (server) => {
    const session = await Polling.open(server, options);
    const { answer } = await session.pollFirst();
    const posted = await session.post(payload(eio, '1'));
    const polled = await answer;
    assert.deepEqual([polled.status, polled.text], [200, payload(eio, '6')]);
    assert.deepEqual([posted.status, posted.text], [200, 'ok']);
    assert.equal((await session.get()).status, 400);
  });
}

// A session that has gone from polling to WebSocket.
export async function upgraded(server, world, options) {
  const session = await Polling.open(server, options);
  const socket = world.own(await session.websocket({ pongs: options.eio === '4' }).opens());
  socket.send('2probe');
  assert.equal(await socket.next(), '3probe');
  const { status, text } = await within(session.get(), 2000, 'the poll is let go');
  assert.deepEqual([status, text], [200, payload(options.eio, '6')]);
  socket.send('5');
  return { session, socket };
}

// `talk(socket)` shows that a session's WebSocket works.
export function upgrades(fact, options, talk) {
  fact('23: a session goes from polling to WebSocket', async (server, world) => {
    const { socket } = await upgraded(server, world, options);
    await talk(socket);
  });

  fact('24: polls after the upgrade are refused', async (server, world) => {
    const { session, socket } = await upgraded(server, world, options);
    await talk(socket);
    const { status, text } = await session.get();
    assert.deepEqual([status, text], [400, '{"code":3,"message":"Bad request"}']);
    await talk(socket);
  });

  fact('25: a second WebSocket after the upgrade is closed', async (server, world) => {
    const { session, socket } = await upgraded(server, world, options);
    await talk(socket);
    assert.deepEqual(await world.own(session.websocket()).closes(), { code: 1005, reason: '' });
    await talk(socket);
  });
}
