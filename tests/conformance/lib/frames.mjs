// WebSocket frames by hand, for what no client library sends (RFC 6455, 5.2).
import { randomBytes } from 'node:crypto';
import { upgrade } from '../../e2e/http/websocket.mjs';

export const op = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// `bits`: rsv1 is 0x40, rsv2 0x20, rsv3 0x10. `size`: 7, 16 or 64 bits for the length, the shortest if it is not given.
export function frame(opcode, payload = '', { fin = true, bits = 0, mask = true, size, length } = {}) {
  const body = Buffer.from(payload);
  const told = length ?? body.length;
  const bitsOfLength = size ?? (told < 126 ? 7 : told < 65536 ? 16 : 64);
  const head = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[bitsOfLength]);
  head[0] = (fin ? 0x80 : 0) | bits | opcode;
  head[1] = (mask ? 0x80 : 0) | { 7: told, 16: 126, 64: 127 }[bitsOfLength];
  if (bitsOfLength === 16) head.writeUInt16BE(told, 2);
  if (bitsOfLength === 64) head.writeBigUInt64BE(BigInt(told), 2);
  if (!mask) return Buffer.concat([head, body]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, body.map((byte, i) => byte ^ key[i % 4])]);
}

export const closing = (code, reason = '') => {
  const body = Buffer.from(`xx${reason}`);
  body.writeUInt16BE(code);
  return frame(op.close, body);
};

// The frames that are whole in `bytes`, as [opcode, first bits, payload]; text as strings.
export function parsed(bytes) {
  const frames = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes[at + 1] & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + head > bytes.length) break;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    if (at + head + length > bytes.length) break;
    const payload = bytes.subarray(at + head, at + head + length);
    const opcode = bytes[at] & 0x0f;
    frames.push([opcode, bytes[at] >> 4, opcode === op.text ? payload.toString() : payload.toString('hex')]);
    at += head + length;
  }
  return frames;
}

// A raw connection that is a WebSocket from now on; `head` is the answer's.
export async function handshake(world, server, target, fields = {}) {
  const connection = await world.connect(server.address);
  connection.send(upgrade({ target, ...fields }));
  const head = await connection.head();
  return { connection, head };
}
