// Bodies that nobody in his right mind publishes, by a seed: right ones of which a piece is wrong, and bytes.
import { encode } from 'notepack.io';

export function random(seed) {
  let state = seed >>> 0;
  const next = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, pick: (list) => list[below(list.length)] };
}

const nested = (depth, inside = 0) => { let value = inside; for (let i = 0; i < depth; i += 1) value = [value]; return value; };
const deep = (depth) => { let value = {}; for (let i = 0; i < depth; i += 1) value = { opts: value, data: value }; return value; };

// What may stand at any place.
const wrong = () => [
  null, true, false, 0, -1, 1.5, NaN, Infinity, 1e308, 2 ** 53, 2 ** 32, -(2 ** 63),
  '', 'x', 'x'.repeat(50_000), '\ud800', '__proto__',
  [], {}, [[]], [null], [{}], { length: 1e9 }, nested(60), nested(500), deep(8),
  Buffer.alloc(0), Buffer.alloc(100, 0xff), new Date(0),
  { _placeholder: true, num: 0 }, { _placeholder: true, num: 99 }, [{ _placeholder: true, num: -1 }, Buffer.from('a')],
  eleven(), Array.from({ length: 5000 }, (_, i) => i), Array.from({ length: 2000 }, (_, i) => `r${i}`),
  { constructor: 1, hasOwnProperty: 2 }, new Array(3), { type: 'Buffer', data: 'no' },
];
export const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];

const eleven = () => Array.from({ length: 11 }, () => Buffer.from('x'));

// Packets that a client must never be given: its parser would close the connection, or its application be misled.
export const poison = () => [
  ...[
    ...reserved.map((event) => [event, 1]), [], [null], [{}], [[1]], [true], ['many', ...eleven()], ['many', { in: eleven() }],
  ].map((data) => ({ type: 2, data })),
  ...[0, 1, 3, 4, 6, 7, -1, '2', null].map((type) => ({ type, data: ['other type'] })),
  { type: 2 }, { type: 2, data: 'text' }, { type: 2, data: { 0: 'object' } }, { type: 2, data: null },
];

function copy(value) {
  if (!value || typeof value !== 'object' || value instanceof Date) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copy);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one)]));
}

// All places inside a value: [holder, key].
function places(value, found = []) {
  if (value && typeof value === 'object' && !Buffer.isBuffer(value) && !(value instanceof Date)) {
    for (const key of Object.keys(value)) {
      found.push([value, key]);
      places(value[key], found);
    }
  }
  return found;
}

// `value` with one to three places made wrong.
export function mutant(value, chance) {
  const root = { value: copy(value) };
  for (let times = 1 + chance.below(3); times > 0; times -= 1) {
    const [holder, key] = chance.pick(places(root));
    const way = chance.below(4);
    if (way === 0 && holder !== root) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
    } else if (way === 1 && !Array.isArray(holder) && holder !== root) {
      holder[chance.pick(['x', '', 'uid', 'nsp', 'type', 'requestId'])] = chance.pick(wrong());
    } else {
      holder[key] = chance.pick(wrong());
    }
  }
  return root.value;
}

const heads = [
  'dd7fffffff', 'ddffffffff', 'dfffffffff', 'dbffffffff', 'c6ffffffff', 'c9ffffffff00', 'c1', '93', '9393', '83a474797065', 'd9', 'da',
  'cf', 'd6ff',
];

// The bytes of `value`, then perhaps hurt.
export function body(value, chance) {
  let bytes;
  try {
    bytes = chance.below(2) ? Buffer.from(encode(value)) : Buffer.from(JSON.stringify(value) ?? '');
  } catch {
    bytes = Buffer.from('93', 'hex');
  }
  const way = chance.below(10);
  if (way === 0) return bytes.subarray(0, chance.below(bytes.length + 1));
  if (way === 1) {
    for (let times = 1 + chance.below(8); bytes.length && times > 0; times -= 1) bytes[chance.below(bytes.length)] = chance.below(256);
    return bytes;
  }
  if (way === 2) return Buffer.concat([bytes, bytes.subarray(0, 1 + chance.below(20))]);
  if (way === 3) return Buffer.concat([Buffer.from(chance.pick(heads), 'hex'), bytes]);
  return bytes;
}

// Long ones, once each.
export const monsters = () => [
  ...['['.repeat(100_000), `{"a":${'['.repeat(100_000)}`, '{"a":'.repeat(50_000), ' '.repeat(1_000_000), '', '{}', '{', 'null']
    .map((text) => Buffer.from(text)),
  ...[[0xff, 0xfe], [0xc0], [0x90], [0x80]].map((bytes) => Buffer.from(bytes)),
  Buffer.alloc(100_000, 0x91), Buffer.alloc(100_000, 0x81), encode(Array.from({ length: 300_000 }, () => 0)),
];
