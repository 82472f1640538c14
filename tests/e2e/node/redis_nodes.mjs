// Nodes of limpet that share a Redis, and their clients.
import { io } from 'socket.io-client';
import { until } from '../lib/deadline.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';

export const start = async (world, redis, id, ...flags) => world.own(await LimpetNode.start(
  ['--id', id, '--redis', redis.url, '--admin', '127.0.0.1:0', ...flags]));

// `got` is what others have sent it.
export async function connect(world, { url }, userId) {
  const socket = io(url, { forceNew: true, transports: ['websocket'], reconnection: false, auth: { userId } });
  world.own({ close: () => socket.disconnect() });
  socket.got = [];
  for (const event of ['message', 'mail']) socket.on(event, (data) => socket.got.push([event, data]));
  await until(() => socket.connected, 5000, 'the client connects');
  return socket;
}
