// Socket.IO packets in raw text, one after the other, and what comes back.
import { Socket } from './engine_client.mjs';
import { until } from '../../e2e/lib/deadline.mjs';

const marker = '44/nowhere,{"message":"Invalid namespace"}';

// Waits until the server has done all that it was asked for: Node.js joins and tells handlers a tick later, so that only
// the second answer comes after everything. No namespace is touched by it.
export async function settled(socket) {
  for (let round = 0; round < 2 && !socket.closed; round += 1) {
    socket.ws.send('40/nowhere,', () => {}); // it may be closing
    await until(() => socket.closed || socket.received.includes(marker), 5000, 'a close or an answer');
    socket.received = socket.received.filter((message) => message !== marker);
  }
}

// What comes back for `messages`, each once the one before has had its effect (but in one go with its attachments), until
// the server closes, or `awaits` is among it.
export async function afterSending(server, world, messages, { awaits } = {}) {
  const socket = world.own(await Socket.open(server, { path: '/socket.io/' }));
  for (const message of messages) {
    socket.ws.send(message, () => {});
    const alone = !Buffer.isBuffer(message) && !/^4[56]/.test(message);
    if (alone && (!awaits || message === '40')) await settled(socket);
  }
  if (awaits) await until(() => socket.closed || socket.received.includes(awaits), 5000, `a close or ${awaits}`);
  else await settled(socket);
  return { received: socket.received, closed: socket.closed };
}
