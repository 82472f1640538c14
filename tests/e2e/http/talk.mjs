// talk(): a whole conversation on a connection of its own, from the first byte sent to the last one received.
import net from 'node:net';
import { slowness } from '../lib/deadline.mjs';
import { answersIn } from './requests.mjs';

const bytesOf = (data) => (typeof data === 'string' ? Buffer.from(data, 'latin1') : data);

// Sends `data` (latin1) and gives { bytes, text, answers, rest, ending } once the peer has ended the connection or,
// if `count` is given, once so many final answers (or a 101) are complete; it says 'open' for `ending` then. `to` are the
// methods asked, for answers without a body; `halfClose` ends the sending side after the data; `pieces` sends them
// a byte at a time.
export function talk(address, data, { count, to = [], ms = 5000, halfClose = false, pieces = false, localAddress } = {}) {
  const socket = net.connect({ ...address.to, localAddress, allowHalfOpen: true });
  socket.setNoDelay(true);
  const parts = [];
  const answers = [];
  const methods = [...to];
  let rest = Buffer.alloc(0);
  const take = (part, ended = false) => {
    const more = answersIn(Buffer.concat([rest, part]), { to: methods, ended });
    answers.push(...more.answers);
    rest = more.rest;
  };
  const result = (ending) => {
    if (ending !== 'open') take(Buffer.alloc(0), true);
    const bytes = Buffer.concat(parts);
    return { bytes, text: bytes.toString('latin1'), ending, answers, rest };
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`still open after ${ms * slowness} ms; received: ${JSON.stringify(result('open').text.slice(0, 2000))}`));
    }, ms * slowness);
    const done = (ending) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result(ending));
    };
    socket.on('data', (part) => {
      parts.push(part);
      take(part);
      if (count && answers.filter(({ status }) => status >= 200 || status === 101).length >= count) done('open');
    });
    // libuv tells a reset that came right behind data as an end; a write knows better, at once.
    socket.on('end', () => { if (halfClose) done('fin'); else socket.write('\r\n', (error) => done(error ? 'reset' : 'fin')); });
    socket.on('error', () => done('reset'));
    socket.once('connect', async () => {
      if (pieces) {
        for (const byte of bytesOf(data)) if (!socket.destroyed) await new Promise((sent) => { socket.write(Buffer.of(byte), sent); });
      } else {
        socket.write(bytesOf(data));
      }
      if (halfClose) socket.end();
    });
  });
}
