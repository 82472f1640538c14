// A server that spends as little as it can: answers by the first bytes of a head, and tunnels that stay silent.
import net from 'node:net';
import { acceptOf, key } from './websocket.mjs';

const body = 'x'.repeat(200);
const sized = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n${body}\r\n0\r\n\r\n`;
const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  + `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;

function answer(head) {
  if (head.includes('Upgrade: websocket')) return switching;
  return head.startsWith('GET /chunked') ? chunked : sized;
}

// How an answer to a request of each kind ends.
export const kinds = {
  get: { request: 'GET /page?a=b HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nCookie: a=b; io=ws1\r\n\r\n', end: body },
  post: { request: `POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`, end: body },
  chunked: { request: 'GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n', end: '0\r\n\r\n' },
};

// Heads and their bodies come in one piece: limpet writes them so.
export async function plainServer(world, host = '127.0.0.1') {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      if (text.includes('\r\n\r\n')) socket.write(answer(text));
    });
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => { server.listen({ port: 0, host, backlog: 4096 }, resolve); });
  world.own({
    close: () => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  });
  return host.includes(':') ? `[${host}]:${server.address().port}` : `${host}:${server.address().port}`;
}

// Sends `request` and waits for `end`, `times` times on one connection.
export async function repeat(client, { request, end }, times) {
  for (let i = 0; i < times; i += 1) {
    await new Promise((resolve, reject) => {
      let got = '';
      client.on('data', function take(bytes) {
        got += bytes.toString('latin1');
        if (!got.endsWith(end)) return;
        client.off('data', take).off('close', reject);
        resolve();
      });
      client.once('close', reject);
      client.write(request);
    });
  }
}

export async function connected(address, localAddress) {
  const client = net.connect({ ...address.to, localAddress });
  client.setNoDelay(true);
  await new Promise((resolve, reject) => { client.once('connect', resolve).once('error', reject); });
  return client;
}
