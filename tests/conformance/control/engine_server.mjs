// The server that the Engine.IO suite wants, on Node.js: an echo.
import { attach } from 'engine.io';
import { listening, options } from './flags.mjs';

const http = listening();
attach(http, options).on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data));
});
