// The WebSocket handshake as bytes, right unless a test says otherwise (RFC 6455, 4).
import { createHash } from 'node:crypto';

export const key = 'dGhlIHNhbXBsZSBub25jZQ==';

export const acceptOf = (ofKey) => createHash('sha1').update(`${ofKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

const lines = (fields) => Object.entries(fields).flatMap(([name, value]) => [value].flat()
  .filter((one) => one !== undefined).map((one) => `${name}: ${one}\r\n`)).join('');

// A request head. `fields` replace those of a good handshake: undefined leaves one out, a list repeats it.
export function upgrade({ target = '/ws', method = 'GET', version = 'HTTP/1.1', ...fields } = {}) {
  return `${method} ${target} ${version}\r\n${lines({
    Host: 'a', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, ...fields,
  })}\r\n`;
}

// A 101 to `head`, likewise.
export function switching(head, fields = {}) {
  return `HTTP/1.1 101 Switching Protocols\r\n${lines({
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Accept': acceptOf(head.headers['sec-websocket-key'] ?? key), ...fields,
  })}\r\n`;
}

const endsWithIt = (connection) => { connection.socket.on('end', () => connection.socket.end()); };

// A script for Origin: accepts each handshake, then runs `then(connection, head)`, by
// default a server that ends when its client does; other requests are answered with
// 200. `answer(head)` may give other bytes than a good 101; then nothing else happens on the connection but requests.
export function webSockets({ then = endsWithIt, answer = (head) => switching(head) } = {}) {
  return async (connection) => {
    for (;;) {
      const head = await connection.head(120_000);
      if (!/websocket/i.test(head.headers.upgrade ?? '') && !head.target.startsWith('/any')) {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        continue;
      }
      const bytes = answer(head, connection);
      if (bytes === undefined) return undefined;
      connection.send(bytes);
      if (bytes.startsWith('HTTP/1.1 101 ')) return then(connection, head);
    }
  };
}
