// What `limpet node` does in the cells of this bench, by socket.io and its adapters:
// server.js ADDRESS:PORT REDIS_SOCKET classic|streams redis|ioredis
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const [address, path, kind, driver] = process.argv.slice(2);
const [host, port] = address.split(':');

const client = () => (driver === 'redis' ? createClient({ socket: { path } }).connect() : new Redis({ path }));
const first = await client();
const adapter = kind === 'streams' ? createStreamsAdapter(first) : createAdapter(first, await client());

const http = createServer();
const io = new Server(http, { serveClient: false, adapter });
io.on('connection', (socket) => {
  socket.on('join', (room, ack) => {
    socket.join(room);
    ack?.();
  });
  socket.on('broadcast', (room, data, ack) => {
    io.to(room).emit('message', data);
    ack?.();
  });
});
http.listen({ host, port: Number(port), backlog: 16384 });
