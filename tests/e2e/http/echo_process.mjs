// What runs in an EchoServer's process (echo_server.mjs): says of each request what arrived, and sends back what comes
// through a tunnel. argv: where to listen, as JSON for net.Server.listen(), and a FIFO.
//
// The first request for /gate stops it as it stands until somebody has written to the FIFO; then it closes that
// connection without an answer, and stops again until somebody has written once more.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { RawConnection } from '../lib/raw.mjs';
import { answering, ok } from './requests.mjs';
import { webSockets } from './websocket.mjs';

const where = JSON.parse(process.argv[2]);
let gate = process.argv[3];

const says = answering(({ method, target, body }, connection) => {
  if (target !== '/gate' || !gate) return ok(`${method} ${target} ${body}`);
  readFileSync(gate);
  connection.destroy();
  readFileSync(gate);
  gate = undefined;
  return undefined;
});
const accepts = webSockets({ then: (connection) => {
  connection.send(connection.consume(connection.received.length));
  connection.socket.pipe(connection.socket);
} });

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const connection = new RawConnection(socket);
  socket.once('data', () => (/^upgrade: websocket/im.test(connection.text) ? accepts(connection).catch(() => {}) : says(connection)));
});
server.listen(where, () => console.log(`listening on ${where.path ? `unix:${where.path}` : `127.0.0.1:${server.address().port}`}`));
