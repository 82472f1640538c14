// Requests as a scripted server takes them apart, and answers as a client does: plain functions over bytes, and
// answering(), a script for Origin that gives one reply to each complete request. Nothing here polls.
import { parseHead } from '../lib/raw.mjs';

const headEnd = '\r\n\r\n';

// The body that begins at `from`, or undefined if it is not complete: { body, trailers, end }.
function chunkedBody(bytes, from) {
  const parts = [];
  for (let at = from; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = parseInt(bytes.toString('latin1', at, line), 16);
    at = line + 2;
    if (size === 0) {
      const plain = bytes.toString('latin1', at, at + 2) === '\r\n';
      const end = plain ? at : bytes.indexOf(headEnd, at);
      if (end < 0 || bytes.length < at + 2) return undefined;
      return {
        body: Buffer.concat(parts), trailers: bytes.toString('latin1', at, end), end: plain ? at + 2 : end + 4,
        chunks: parts.length,
      };
    }
    if (bytes.length < at + size + 2) return undefined;
    parts.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}

function sizedBody(bytes, from, length) {
  if (bytes.length < from + length) return undefined;
  return { body: bytes.subarray(from, from + length), end: from + length };
}

// One complete message from `bytes` on, or undefined. `bodiless(head)` says which answers have no body, `untilEnd`
// whether the connection has ended.
function message(bytes, { bodiless = () => false, untilEnd = false } = {}) {
  const at = bytes.indexOf(headEnd);
  if (at < 0) return undefined;
  const head = parseHead(bytes.toString('latin1', 0, at + 4));
  let rest = { body: Buffer.alloc(0), end: at + 4 };
  if (!bodiless(head)) {
    const length = head.headers['content-length'];
    if (/chunked/i.test(head.headers['transfer-encoding'] ?? '')) rest = chunkedBody(bytes, at + 4);
    else if (length !== undefined) rest = sizedBody(bytes, at + 4, Number(length));
    else if (head.status !== undefined) rest = untilEnd ? { body: bytes.subarray(at + 4), end: bytes.length } : undefined;
  }
  return rest && { ...head, ...rest };
}

// All complete answers in `bytes`, interim ones included; `to` are the methods that were asked, in order, and loses
// those that were answered.
export function answersIn(bytes, { to = [], ended = false } = {}) {
  const answers = [];
  for (let rest = bytes; ;) {
    const bodiless = ({ status }) => status < 200 || status === 204 || status === 304 || to[0] === 'HEAD';
    const answer = message(rest, { bodiless, untilEnd: ended });
    if (!answer) return { answers, rest };
    if (answer.status >= 200) to.shift();
    answers.push(answer);
    rest = rest.subarray(answer.end);
  }
}

export const ok = (body = 'ok', fields = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${fields}\r\n${body}`;

// A script for Origin: `reply(request, connection)` is called for each complete request and may give what to send.
// Requests are kept in `answering(...).requests`, each with its connection.
export function answering(reply = () => ok()) {
  const requests = [];
  const script = (connection) => {
    const more = () => {
      for (let request; (request = message(connection.received)); ) {
        connection.consume(request.end);
        request.connection = connection;
        requests.push(request);
        let answer = reply(request, connection);
        if (request.method === 'HEAD') answer = answer?.slice(0, answer.indexOf(headEnd) + 4);
        if (answer !== undefined && !connection.ending) connection.send(answer);
      }
    };
    connection.socket.on('data', more);
    connection.socket.on('end', () => connection.socket.end());
    more();
  };
  return Object.assign(script, { requests });
}
