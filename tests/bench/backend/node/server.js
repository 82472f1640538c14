// What `limpet node` does in the cells of the bench, by socket.io: server.js ADDRESS:PORT ws|eiows PING_INTERVAL
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';

const [address, engine, pingInterval] = process.argv.slice(2);
const [host, port] = address.split(':');
const wsEngine = engine === 'eiows' ? createRequire(import.meta.url)('eiows').Server : undefined;

const http = createServer();
const io = new Server(http, {
  serveClient: false, pingInterval: Number(pingInterval), pingTimeout: 20_000, ...(wsEngine && { wsEngine }),
});
io.on('connection', (socket) => {
  socket.on('echo', (value, ack) => ack(value));
  socket.on('join', (room, ack) => {
    socket.join(room);
    ack?.();
  });
  socket.on('broadcast', (room, data) => io.to(room).emit('message', data));
});
// As long as the other servers': storms of connections are measured, not queues.
http.listen({ host, port: Number(port), backlog: 16384 });
