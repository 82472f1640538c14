// Session ids that name their server: 12 random characters (72 bits), then 8 that are the server's tag.
//
// The tag is base64url of the first 6 bytes, big-endian, of XXH3-64 (seed 0) over the server's id as
// limpet.toml has it: `ws1` gives `_9OrFaYU`. limpet recognises it without any table, so polling clients stay
// on their node even without cookies, with changing addresses, and through several proxies.
//
//   const tag = tagOf('ws1');
//   io.engine.generateId = () => newSid(tag);
//
// Stands alone: copy this file into your own server.
import { randomBytes } from 'node:crypto';

export function tagOf(serverId) {
  const hash = Buffer.alloc(8);
  hash.writeBigUInt64BE(xxh3(Buffer.from(serverId)));
  return hash.subarray(0, 6).toString('base64url');
}

export function newSid(tag) {
  return randomBytes(9).toString('base64url') + tag;
}

// XXH3-64 with seed 0 for 1 to 64 bytes, which is what a server's id may have. Constants and steps are those of
// the xxHash specification; `secret` is the part of its default secret that such lengths need.
const secret = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
  'b8084674f743248ee03590e6813a264c', 'hex');

const mask = (1n << 64n) - 1n;
const times = (a, b) => (a * b) & mask;
const rotateLeft = (x, n) => ((x << n) | (x >> (64n - n))) & mask;
const swapBytes = (x) => Buffer.from(x.toString(16).padStart(16, '0'), 'hex').readBigUInt64LE();
const fold = (a, b) => { const product = a * b; return (product & mask) ^ (product >> 64n); };

function xxh3(input) {
  const length = input.length;
  if (length < 1 || length > 64) throw new RangeError('a server id has 1 to 64 characters');
  if (length <= 3) return upTo3(input);
  if (length <= 8) return upTo8(input);
  if (length <= 16) return upTo16(input);
  return upTo64(input);
}

function upTo3(input) {
  const length = input.length;
  const packed = ((input[0] << 16) | (input[length >> 1] << 24) | input[length - 1] | (length << 8)) >>> 0;
  let h = BigInt(packed) ^ BigInt((secret.readUInt32LE(0) ^ secret.readUInt32LE(4)) >>> 0);
  h = times(h ^ (h >> 33n), 0xC2B2AE3D27D4EB4Fn);
  h = times(h ^ (h >> 29n), 0x165667B19E3779F9n);
  return h ^ (h >> 32n);
}

function upTo8(input) {
  const length = input.length;
  const whole = (BigInt(input.readUInt32LE(0)) << 32n) + BigInt(input.readUInt32LE(length - 4));
  let h = whole ^ secret.readBigUInt64LE(8) ^ secret.readBigUInt64LE(16);
  h = times(h ^ rotateLeft(h, 49n) ^ rotateLeft(h, 24n), 0x9FB21C651E98DF25n);
  h = times(h ^ ((h >> 35n) + BigInt(length)), 0x9FB21C651E98DF25n);
  return h ^ (h >> 28n);
}

function upTo16(input) {
  const length = input.length;
  const low = input.readBigUInt64LE(0) ^ secret.readBigUInt64LE(24) ^ secret.readBigUInt64LE(32);
  const high = input.readBigUInt64LE(length - 8) ^ secret.readBigUInt64LE(40) ^ secret.readBigUInt64LE(48);
  return avalanche(BigInt(length) + swapBytes(low) + high + fold(low, high));
}

function upTo64(input) {
  const length = input.length;
  const mix = (at, key) => fold(input.readBigUInt64LE(at) ^ secret.readBigUInt64LE(key),
    input.readBigUInt64LE(at + 8) ^ secret.readBigUInt64LE(key + 8));
  let h = times(BigInt(length), 0x9E3779B185EBCA87n);
  if (length > 32) h += mix(16, 32) + mix(length - 32, 48);
  return avalanche(h + mix(0, 0) + mix(length - 16, 16));
}

function avalanche(sum) {
  let h = sum & mask;
  h = times(h ^ (h >> 37n), 0x165667919E3779F9n);
  return h ^ (h >> 32n);
}
