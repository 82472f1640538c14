// One Socket.IO node of several: everything that such a node needs behind a sticky proxy, and a few events to try.
//
// Knows nothing of ports, signals and environment variables: server.js does.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { newSid, tagOf } from './sid.js';

// How nodes are joined, as `limpet node --adapter` calls it ("redis_sharded" is its --sharded dynamic).
const adapters = {
  redis: ([publisher, subscriber]) => createAdapter(publisher, subscriber),
  redis_sharded: ([publisher, subscriber]) => createShardedAdapter(publisher, subscriber),
  redis_streams: ([client], stream) => createStreamsAdapter(client, { streamName: stream }),
};

// `id` is the server's id in limpet.toml. `socketio` is handed to socket.io as it is.
export async function createNode({
  id, cookie = true, selfNamingSids = false, redisUrl, adapter = 'redis', stream = 'socket.io-stream', socketio = {},
}) {
  const page = await readFile(new URL('page.html', import.meta.url));
  const node = { id, draining: false };

  node.http = createServer((request, answer) => {
    const path = request.url.split('?')[0];
    if (path === '/health') {
      answer.writeHead(node.draining ? 503 : 200, { 'Content-Type': 'text/plain' }).end(node.draining ? 'draining' : 'ok');
    } else if (path === '/') {
      answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
    } else {
      answer.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
    }
  });

  if (!Object.hasOwn(adapters, adapter)) throw new RangeError(`adapter "${adapter}" is none of ${Object.keys(adapters).join(', ')}`);
  const redis = redisUrl ? await connectRedis(redisUrl) : [];
  node.io = new Server(node.http, { ...socketio, ...(redisUrl && { adapter: adapters[adapter](redis, stream) }) });

  if (cookie) {
    // Asked for by every answer that begins a session, polling and WebSocket alike, which the option `cookie` of
    // socket.io is not: that one leaves WebSocket out.
    node.io.engine.on('initial_headers', (headers) => {
      headers['Set-Cookie'] = `io=${id}; Path=/; HttpOnly; SameSite=Lax`;
    });
  }
  if (selfNamingSids) {
    const tag = tagOf(id);
    node.io.engine.generateId = () => newSid(tag);
  }
  node.io.on('connection', (socket) => serve(node, socket));

  node.close = async () => {
    await node.io.close();
    for (const client of redis) client.destroy();
  };
  return node;
}

// The clients that the adapter wants: one that publishes, one that only listens.
async function connectRedis(url) {
  const publisher = createClient(url.startsWith('unix:') ? { socket: { path: url.slice(5) } } : { url });
  const clients = [publisher, publisher.duplicate()];
  for (const client of clients) client.on('error', (error) => console.error(`redis: ${error.message}`));
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

function serve(node, socket) {
  const answer = (ack, value) => { if (typeof ack === 'function') ack(value); };
  const isRoom = (room) => typeof room === 'string' && room.length <= 100;

  // A user's sockets are in one room, whichever node they are on, so that a message to the user reaches all of them. A
  // server of your own asks a token who this is.
  const { userId } = socket.handshake.auth;
  if (isRoom(userId)) socket.join(`user:${userId}`);

  socket.on('echo', (x, ack) => answer(ack, x));
  socket.on('who', (ack) => answer(ack, node.id));
  socket.on('join', async (room, ack) => { if (isRoom(room)) await socket.join(room); answer(ack); });
  socket.on('leave', async (room, ack) => { if (isRoom(room)) await socket.leave(room); answer(ack); });
  socket.on('broadcast', (room, data) => { if (isRoom(room)) node.io.to(room).emit('message', data); });
  socket.on('user', (user, event, data) => { if (isRoom(user) && isRoom(event)) node.io.to(`user:${user}`).emit(event, data); });
}
