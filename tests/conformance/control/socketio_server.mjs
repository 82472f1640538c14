// The server that the Socket.IO suite wants, on Node.js.
import { Server } from 'socket.io';
import { listening, options } from './flags.mjs';

const io = new Server(listening(), options);

for (const name of ['/', '/custom']) {
  io.of(name).on('connection', (socket) => {
    socket.emit('auth', socket.handshake.auth);
    socket.on('message', (...values) => socket.emit('message-back', ...values));
    socket.on('message-with-ack', (...values) => values.pop()(...values));
  });
}
