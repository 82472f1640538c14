// A server that answers probes and plain requests, and holds every WebSocket open, sending back what it gets. It runs
// in a network namespace of its own (launched.mjs).
import http from 'node:http';
import { switching } from './websocket.mjs';

const server = http.createServer((request, response) => response.end('ok'));
server.on('upgrade', (request, socket) => {
  socket.on('error', () => {});
  socket.write(switching(request));
  socket.pipe(socket);
});
// A port below those that connects may use.
server.listen(3000, '127.0.0.1', () => console.log('listening on 127.0.0.1:3000'));
