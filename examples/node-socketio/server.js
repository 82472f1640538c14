// Runs one node. Environment, with defaults:
//
//   SERVER_ID         this machine's name   the server's id in limpet.toml
//   HOST, PORT        127.0.0.1, 3000       port 0: the kernel's choice
//   REDIS_URL         unset                 redis://host:6379 or unix:/path: broadcasts reach every node
//   ADAPTER           redis                 redis_sharded, redis_streams: what all nodes of the cluster have
//   STREAM            socket.io-stream      of redis_streams
//   COOKIE            on                    off: the node sets no `io` cookie
//   SELF_NAMING_SIDS  unset                 1: session ids name this server
//   SHUTDOWN_DELAY    5                     seconds for which, after SIGTERM, /health says 503 and all else goes on
import os from 'node:os';
import { createNode } from './node.js';

const {
  SERVER_ID = os.hostname(), HOST = '127.0.0.1', PORT = '3000',
  REDIS_URL, ADAPTER, STREAM, COOKIE = 'on', SHUTDOWN_DELAY = '5',
} = process.env;
if (ADAPTER && !REDIS_URL) throw new Error('ADAPTER wants REDIS_URL: without it this node would be alone');

const node = await createNode({
  id: SERVER_ID,
  cookie: COOKIE !== 'off',
  selfNamingSids: process.env.SELF_NAMING_SIDS === '1',
  redisUrl: REDIS_URL,
  adapter: ADAPTER,
  stream: STREAM,
});

node.http.listen({ host: HOST, port: Number(PORT) }, () => {
  const { address, family, port } = node.http.address();
  console.log(`listening on ${family === 'IPv6' ? `[${address}]` : address}:${port} id=${SERVER_ID}`);
});

// A proxy that saw the 503 sends no new sessions here; then those that are left are told to reconnect.
async function shutDown(delay) {
  if (node.draining) process.exit(1);
  node.draining = true;
  await new Promise((resolve) => setTimeout(resolve, delay));
  await node.close();
  process.exit(0);
}
process.on('SIGTERM', () => shutDown(Number(SHUTDOWN_DELAY) * 1000));
process.on('SIGINT', () => shutDown(0));
