// The bundled node's events and identity, with official clients.
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe } from 'node:test';
import { io } from 'socket.io-client';
import { slowness, until } from '../lib/deadline.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { scenario, sharing } from '../lib/world.mjs';

const transports = { polling: ['polling'], websocket: ['websocket'], upgraded: ['polling', 'websocket'] };

// A client that is owned by the world; `answers` is what its events are told.
function client(world, node, { name = '', ...options } = {}) {
  const socket = io(node.url + name, { forceNew: true, transports: transports.websocket, reconnection: false, ...options });
  world.own({ close: () => socket.disconnect() });
  socket.call = (event, ...values) => socket.timeout(5000 * slowness).emitWithAck(event, ...values);
  return socket;
}

async function connected(world, node, options) {
  const socket = client(world, node, options);
  await until(() => socket.connected, 5000, 'the client connects');
  return socket;
}

async function refusal(world, node, options) {
  const socket = client(world, node, options);
  let error;
  socket.on('connect_error', (it) => { error = it; });
  await until(() => error, 5000, 'the client is refused');
  return error;
}

describe('the events', () => {
  const { fact } = sharing(async (world) =>
    world.own(await LimpetNode.start(['--id', 'ws1', '--namespaces', '/', '--namespaces', '/chat'])),
  );

  for (const [name, list] of Object.entries(transports)) {
    fact(`echo gives back what it got, ${name}`, async (node, world) => {
      const socket = await connected(world, node, { transports: list });
      for (const value of ['x', 7, 1.5, null, true, { a: [1, { b: 'ü' }] }, []]) {
        assert.deepEqual(await socket.call('echo', value), value);
      }
      const bytes = await socket.call('echo', { inside: Buffer.from([0, 1, 255]) });
      assert.deepEqual(Buffer.from(bytes.inside), Buffer.from([0, 1, 255]));
    });
  }

  fact('who says the id of the node', async (node, world) => {
    assert.equal(await (await connected(world, node)).call('who'), 'ws1');
  });

  fact('broadcast reaches those who have joined, the sender among them, until they leave', async (node, world) => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => connected(world, node)));
    const got = { a: [], b: [], c: [] };
    for (const [name, socket] of Object.entries({ a, b, c })) socket.on('message', (data) => got[name].push(data));
    assert.equal(await a.call('join', 'news'), undefined);
    assert.equal(await b.call('join', 'news'), undefined);
    a.emit('broadcast', 'news', { n: 1 });
    await until(() => got.a.length && got.b.length, 5000, 'both have it');
    await b.call('leave', 'news');
    await c.call('broadcast', 'news', Buffer.from([1]));
    await until(() => got.a.length === 2, 5000, 'who stayed has it');
    assert.deepEqual(got.a[0], { n: 1 });
    assert.deepEqual(got.a[1], Buffer.from([1]));
    assert.deepEqual(got.b, [{ n: 1 }]);
    assert.deepEqual(got.c, []);
  });

  fact('user reaches all sockets of that user', async (node, world) => {
    const [one, two] = await Promise.all([1, 2].map(() => connected(world, node, { auth: { userId: 'ada' } })));
    const other = await connected(world, node, { auth: { userId: 'bob' } });
    const got = [];
    for (const socket of [one, two, other]) socket.on('mail', (data) => got.push([socket === other ? 'bob' : 'ada', data]));
    await other.call('user', 'ada', 'mail', { text: 'hi' });
    await until(() => got.length === 2, 5000, 'both have it');
    assert.deepEqual(got, [['ada', { text: 'hi' }], ['ada', { text: 'hi' }]]);
  });

  fact('every namespace that is served has them, and no other is', async (node, world) => {
    assert.equal(await (await connected(world, node, { name: '/chat' })).call('who'), 'ws1');
    assert.equal((await refusal(world, node, { name: '/nowhere' })).message, 'Invalid namespace');
  });

  fact('rooms of users and of sockets cannot be joined, left or told', async (node, world) => {
    const victim = await connected(world, node, { auth: { userId: 'ada' } });
    const got = [];
    victim.on('message', (data) => got.push(data));
    const socket = await connected(world, node);
    for (const room of ['user:ada', 'user:', victim.id, socket.id]) {
      for (const event of ['join', 'leave', 'broadcast']) {
        assert.match((await socket.call(event, room, 1)).error, /not for clients/, `${event} ${room}`);
      }
    }
    await socket.call('user', 'ada', 'message', 'by its own event');
    await until(() => got.length, 5000, 'the event that is for it arrives');
    assert.deepEqual(got, ['by its own event']);
  });

  fact('bad arguments are answered with an error, without an ack ignored', async (node, world) => {
    const socket = await connected(world, node);
    for (const [event, ...values] of [
      ['join'], ['join', 7], ['join', null], ['join', {}], ['join', ['a']], ['join', ''], ['join', 'x'.repeat(129)],
      ['leave', true], ['broadcast'], ['broadcast', 7, 'x'], ['join', Buffer.from('x')],
      ['user'], ['user', 'ada'], ['user', 'ada', 7], ['user', {}, 'x'], ['user', 'ada', ''], ['user', 'ada', 'disconnect'],
      ['user', 'ada', 'connect'], ['user', 'ada', 'x'.repeat(129)], ['user', '', 'x'],
    ]) {
      assert.equal(typeof (await socket.call(event, ...values))?.error, 'string', JSON.stringify([event, ...values]));
      socket.emit(event, ...values);
    }
    assert.equal(await socket.call('echo', 1), 1);
    assert.equal(await socket.call('echo'), null);
    socket.emit('echo', 'without an ack');
    socket.emit('who');
    socket.emit('unknown', 1);
    assert.equal(await socket.call('who'), 'ws1');
  });

  fact('who says a malformed userId is refused', async (node, world) => {
    const error = await refusal(world, node, { auth: { userId: { toString: 1 } } });
    assert.equal(error.message, 'auth.userId is to be a text of 1 to 128 bytes');
    assert.deepEqual(error.data, { code: 'user_id' });
  });
});

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const soon = () => Math.floor(Date.now() / 1000) + 60;

function hs256(secret, claims, header = { alg: 'HS256', typ: 'JWT' }) {
  const part = `${encoded(header)}.${encoded(claims)}`;
  return `${part}.${createHmac('sha256', secret).update(part).digest('base64url')}`;
}

const secret = 'a secret of more than thirty-two bytes';

async function nodeWithKey(world, bytes, ...flags) {
  const file = path.join(await world.directory(), 'key');
  await writeFile(file, bytes);
  return world.own(await LimpetNode.start(['--id', 'ws1', '--jwt-key', file, ...flags]));
}

scenario('with a secret a client is who its token says, and nobody without one', async (world) => {
  const node = await nodeWithKey(world, `${secret}\n`);
  assert.match(node.stderr, /jwt: HS256, 38 bytes/);
  assert.match(node.stderr, /jwt_key: the secret's file is open to others/);
  const ada = await connected(world, node, { auth: { token: hs256(secret, { sub: 'ada', exp: soon() }), userId: 'bob' } });
  const mail = new Promise((resolve) => { ada.on('mail', resolve); });
  await ada.call('user', 'ada', 'mail', 1);
  assert.equal(await mail, 1);

  for (const [token, code] of [
    [undefined, 'token_missing'], [7, 'token_missing'], ['x', 'token_malformed'],
    [hs256('another', { sub: 'ada' }), 'token_signature'],
    [hs256(secret, { sub: 'ada', exp: 1 }), 'token_expired'],
    [hs256(secret, { sub: 'ada', nbf: soon() }), 'token_not_yet_valid'],
    [hs256(secret, { sub: '' }), 'token_subject'],
    [`${encoded({ alg: 'none' })}.${encoded({ sub: 'ada' })}.`, 'token_algorithm'],
  ]) {
    const error = await refusal(world, node, { auth: { token } });
    assert.deepEqual(error.data, { code });
    assert.match(error.message, /^unauthorized: /);
  }
});

// Socket.IO's own disconnect would keep it away.
for (const [name, list] of Object.entries(transports)) {
  scenario(`a connection ends with its token, and the client comes back with a new one, ${name}`, async (world) => {
    const node = await nodeWithKey(world, secret);
    let asked = 0;
    const auth = (give) => {
      asked += 1;
      give({ token: hs256(secret, asked === 1 ? { sub: 'ada', exp: Date.now() / 1000 + 1 } : { sub: 'ada', exp: soon() }) });
    };
    const socket = await connected(world, node, { auth, transports: list, reconnection: true, reconnectionDelay: 20 });
    const reasons = [];
    socket.on('disconnect', (reason) => reasons.push(reason));
    await until(() => reasons.length && socket.connected, 10_000, 'it comes back');
    assert.deepEqual([reasons, asked], [['transport close'], 2]);
    assert.equal(await socket.call('echo', 1), 1);
  });
}

scenario('who comes back with the token that has expired is refused', async (world) => {
  const node = await nodeWithKey(world, secret);
  const token = hs256(secret, { sub: 'ada', exp: Date.now() / 1000 + 1 });
  const socket = await connected(world, node, { auth: { token }, reconnection: true, reconnectionDelay: 20 });
  let refused;
  socket.on('connect_error', (error) => { refused = error; });
  await until(() => refused, 10_000, 'it is refused');
  assert.deepEqual(refused.data, { code: 'token_expired' });
});

scenario('with a public key tokens are RS256, and the key itself is no secret', async (world) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const node = await nodeWithKey(world, pem, '--jwt-issuer', 'us', '--jwt-audience', 'chat');
  const signed = (claims) => {
    const part = `${encoded({ alg: 'RS256' })}.${encoded(claims)}`;
    return `${part}.${createSign('sha256').update(part).sign(privateKey, 'base64url')}`;
  };
  await connected(world, node, { auth: { token: signed({ sub: 'ada', iss: 'us', aud: ['mail', 'chat'] }) } });
  for (const [token, code] of [
    [signed({ sub: 'ada', iss: 'them', aud: 'chat' }), 'token_issuer'],
    [signed({ sub: 'ada', iss: 'us' }), 'token_audience'],
    [hs256(pem, { sub: 'ada', iss: 'us', aud: 'chat' }), 'token_algorithm'],
  ]) assert.deepEqual((await refusal(world, node, { auth: { token } })).data, { code });
});

scenario('clients of Socket.IO 2 are served where they are wanted, and with a key refused', async (world) => {
  const { default: io2 } = await import('socket.io-client-2');
  const plain = world.own(await LimpetNode.start(['--id', 'ws1', '--allow-eio3']));
  const keyed = await nodeWithKey(world, secret, '--allow-eio3');
  for (const [node, event] of [[plain, 'connect'], [keyed, 'error']]) {
    const socket = io2(node.url, { forceNew: true, transports: ['websocket'], reconnection: false });
    world.own({ close: () => socket.close() });
    let told;
    for (const each of ['connect', 'error']) socket.on(each, (data) => { told ??= [each, data]; });
    await until(() => told, 5000, `${event} comes`);
    assert.equal(told[0], event);
    if (event === 'connect') assert.equal(await new Promise((resolve) => { socket.emit('who', resolve); }), 'ws1');
  }
});

scenario('the token of a Socket.IO 2 client is in the query that it joins a namespace with', async (world) => {
  const { default: io2 } = await import('socket.io-client-2');
  const node = await nodeWithKey(world, secret, '--allow-eio3', '--namespaces', '/chat');
  for (const [query, event] of [
    [`?token=${hs256(secret, { sub: 'ada', exp: soon() })}`, 'connect'],
    ['?token=x', 'error'],
    ['', 'error'],
  ]) {
    const socket = io2(`${node.url}/chat${query}`, { forceNew: true, transports: ['websocket'], reconnection: false });
    world.own({ close: () => socket.close() });
    let told;
    for (const each of ['connect', 'error']) socket.on(each, (data) => { told ??= [each, data]; });
    await until(() => told, 5000, `${event} comes`);
    assert.equal(told[0], event, query);
    if (event === 'connect') assert.equal(await new Promise((resolve) => { socket.emit('who', resolve); }), 'ws1');
  }
});

scenario('a session is given back to its user alone', async (world) => {
  const node = await nodeWithKey(world, secret, '--recovery', '1m');
  const token = (sub) => hs256(secret, { sub, exp: soon() });
  const other = await connected(world, node, { auth: { token: token('eve') } });
  for (const [back, recovered] of [['ada', true], ['bob', false]]) {
    const socket = await connected(world, node, { auth: { token: token('ada') } });
    await socket.call('join', 'news');
    const message = new Promise((resolve) => { socket.on('message', resolve); });
    await socket.call('broadcast', 'news', 'gives an offset');
    await message;
    let refused;
    socket.on('connect_error', (error) => { refused = error; });
    const returned = new Promise((resolve) => { socket.on('connect', () => resolve()); });
    const heard = [];
    socket.auth = { token: token(back) };
    socket.io.engine.close();
    await until(() => !socket.connected, 5000, 'the client is away');
    await other.call('broadcast', 'news', 'missed');
    socket.io.on('packet', ({ type }) => { heard.push(type); });  // events wait inside the client until it is let in
    socket.connect();
    await until(() => refused ?? (socket.connected && socket.recovered), 5000, `${back} comes back`);
    assert.equal(refused?.data.code, recovered ? undefined : 'user_changed');
    if (recovered) await returned;
    assert.deepEqual(heard, recovered ? [2, 0] : [4]);  // an event and CONNECT, or CONNECT_ERROR
    socket.disconnect();
  }
});
