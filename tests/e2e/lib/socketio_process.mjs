// What runs in a SocketIoNode's process: the node of examples/node-socketio with a message channel to the test.
//
// Options come as JSON in argv[2]. Messages: { do: NAME, with: VALUE } is answered by { done: VALUE }.
import { createNode } from '../../../examples/node-socketio/node.js';

const { listen, ...options } = JSON.parse(process.argv[2]);
const node = await createNode(options);

// Every Engine.IO request that reached this node, as "METHOD transport sid", without probes and pages.
const requests = [];
const note = (request) => {
  const query = new URL(request.url, 'http://x').searchParams;
  if (query.has('EIO')) requests.push(`${request.method} ${query.get('transport')} ${query.get('sid') ?? ''}`.trim());
};
node.http.prependListener('request', note);
node.http.prependListener('upgrade', note);

const actions = {
  drain: (on) => { node.draining = on; },
  requests: () => requests,
  clients: () => node.io.engine.clientsCount,
  // The Engine.IO session ids that live here.
  sids: () => Object.keys(node.io.engine.clients),
};
process.on('message', ({ do: name, with: value }) => process.send({ done: actions[name](value) ?? null }));
process.on('disconnect', () => process.exit(0));

node.http.listen(listen, () => {
  const bound = node.http.address();
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  const where = listen.path ? `unix:${listen.path}` : `${host}:${bound.port}`;
  console.log(`listening on ${where} id=${options.id}`);
});
