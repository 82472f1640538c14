// A Socket.IO server in a cluster, on Node.js, told by a test what to do; cluster_node.cpp is the same on limpet.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { adapter, quit } from './adapter.mjs';
import { Application } from './application.mjs';
import { control } from './control.mjs';
import { flags, options } from './flags.mjs';

// What another node publishes must not bring these about; a test that sees them fails.
process.on('uncaughtException', (error) => console.error(`uncaught: ${error.stack}`));
process.on('unhandledRejection', (error) => console.error(`unhandled: ${error?.stack ?? error}`));

const [http, controlHttp] = [createServer(), createServer()];
const io = new Server(http, { ...options, adapter: await adapter() });
const application = new Application(io, flags.id, flags.recovery > 0);
for (const name of flags.namespace) io.of(name);
control(controlHttp, io, application);

const listening = (server) => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${server.address().port}`));
});
console.log(`listening on ${await listening(http)} control ${await listening(controlHttp)}`);

// Sessions of those who can come back are saved when their connections end. Answers come in order, so that all that was
// said before has arrived.
process.on('SIGTERM', async () => {
  await io.close();
  await quit();
  process.exit(0);
});
