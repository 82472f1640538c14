// Clients that are not today's socket.io-client: the one of Socket.IO 2 (Engine.IO 3) and plain WebSockets.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { until, within } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { SourceAgent, transportsOf } from './client.mjs';
import { cluster, loopback } from './cluster.mjs';

const io2 = createRequire(import.meta.url)('socket.io-client-2');

describe('the client of Socket.IO 2', () => {
  const shared = sharing((world) => cluster(world, { cookie: false, socketio: { allowEIO3: true } }));

  for (const [name, transports] of Object.entries(transportsOf)) {
    shared.fact(`${name}: twenty clients connect, stay, exchange text and binary`, async ({ proxy }, world) => {
      let connections = 0;
      const clients = Array.from({ length: 20 }, () => new Client2(proxy.url, transports, () => loopback(connections += 1)));
      clients.forEach((client) => world.own(client));
      await until(() => clients.every((client) => client.settled), 10_000, 'all twenty connect');
      const homes = await Promise.all(clients.map((client) => client.call('who')));
      assert.equal(new Set(homes).size, 3);
      for (const client of clients) await client.call('join', 'two');
      clients[0].socket.emit('broadcast', 'two', { text: 'h€llo' });
      await until(() => clients.every((client) => client.messages.length === 1), 5000, 'the broadcast reaches all');
      const bytes = Buffer.alloc(64 * 1024, 9);
      assert.ok(bytes.equals(await clients[1].call('echo', bytes)));
      assert.deepEqual(await Promise.all(clients.map((client) => client.call('who'))), homes);
      assert.ok(clients.every((client) => client.messages.length === 1 && !client.troubles.length));
    });
  }
});

class Client2 {
  messages = [];
  troubles = [];

  constructor(url, transports, source) {
    this.wanted = transports.at(-1);
    this.socket = io2(url, { forceNew: true, transports, agent: new SourceAgent(source) });
    this.socket.on('message', (data) => this.messages.push(data));
    for (const event of ['connect_error', 'disconnect', 'error']) this.socket.on(event, (what) => this.troubles.push(`${event}: ${what}`));
  }

  get settled() { return this.socket.connected && this.socket.io.engine.transport.name === this.wanted; }

  call(event, ...values) {
    return within(new Promise((resolve) => { this.socket.emit(event, ...values, resolve); }), 10_000, `an answer to ${event}`);
  }

  close() { this.socket.close(); }
  log() { return this.troubles.length ? `--- client 2: ${this.troubles.slice(0, 5)}` : ''; }
}

describe('plain WebSockets', () => {
  const shared = sharing(async (world) => {
    const echo = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: true,
      handleProtocols: (offered) => [...offered][0],
    });
    await new Promise((resolve) => echo.on('listening', resolve));
    echo.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
    world.own({
      close: () => {
        echo.clients.forEach((socket) => socket.terminate());
        echo.close();
      },
    });
    return {
      echo,
      proxy: await world.limpet(`[pool.ws]\nservers = ["echo=127.0.0.1:${echo.address().port}"]\nhealth = { type = "tcp" }\n`),
    };
  });

  const open = async (world, proxy, options = {}, protocols = []) => {
    const socket = new WebSocket(proxy.url.replace('http', 'ws'), protocols, options);
    world.own({ close: () => socket.terminate() });
    await within(new Promise((resolve, reject) => { socket.on('open', resolve).on('error', reject); }), 5000, 'open');
    return socket;
  };
  const next = (socket) => within(new Promise((resolve) => { socket.once('message', (data) => resolve(data)); }), 10_000, 'a message');

  shared.fact('messages from 0 to 4 MiB come back as they went', async ({ proxy }, world) => {
    const socket = await open(world, proxy);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 4 << 20]) {
      const bytes = Buffer.alloc(size, size);
      socket.send(bytes);
      assert.ok(bytes.equals(await next(socket)), `${size} bytes`);
    }
  });

  shared.fact('a thousand messages keep their order', async ({ proxy }, world) => {
    const socket = await open(world, proxy);
    const received = [];
    socket.on('message', (data) => received.push(Number(data)));
    for (let i = 0; i < 1000; i += 1) socket.send(String(i));
    await until(() => received.length === 1000, 10_000, 'all are back');
    assert.deepEqual(received, Array.from({ length: 1000 }, (_, i) => i));
  });

  shared.fact('subprotocol and permessage-deflate are agreed on end to end', async ({ proxy }, world) => {
    const socket = await open(world, proxy, { perMessageDeflate: true }, ['chat', 'other']);
    assert.equal(socket.protocol, 'chat');
    assert.match(socket.extensions, /permessage-deflate/);
    socket.send('x'.repeat(100_000));
    assert.equal((await next(socket)).length, 100_000);
  });

  shared.fact('a Close of either side reaches the other with its code', async ({ proxy, echo }, world) => {
    const mine = await open(world, proxy);
    const theirs = await until(() => [...echo.clients].find((one) => one.readyState === WebSocket.OPEN), 5000, 'the server\'s side');
    const told = new Promise((resolve) => { theirs.on('close', (code, reason) => resolve(`${code} ${reason}`)); });
    mine.close(4001, 'enough');
    assert.equal(await within(told, 5000, 'the server is told'), '4001 enough');

    const another = await open(world, proxy);
    const heard = new Promise((resolve) => { another.on('close', (code, reason) => resolve(`${code} ${reason}`)); });
    const side = await until(() => [...echo.clients].find((one) => one.readyState === WebSocket.OPEN), 5000, 'the server\'s side');
    side.close(4002, 'no more');
    assert.equal(await within(heard, 5000, 'the client is told'), '4002 no more');
  });
});
