// The sid of examples/node-socketio, in the form that design and proxy agree on. The tags come from libxxhash, one
// for every branch of the hash.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newSid, tagOf } from '../../../examples/node-socketio/sid.js';

const known = {
  a: '5sYyth6W',
  ws1: '_9OrFaYU',
  ws2: 'aqV2S1-o',
  abcd: 'ZJepb1Oo',
  abcdefgh: 'b0WnaEKp',
  abcdefghi: '4N3k_BdF',
  '10.0.1.1:3000': 'Wqay7CDI',
  '0123456789abcdef': 'ZEOZRtj6',
  xxxxxxxxxxxxxxxxx: 'iZdea30v',
  [`${'z'.repeat(32)}`]: '_cY3LXWm',
  [`${'z'.repeat(33)}`]: 'rZAv9Oh5',
  [`${'node-'.repeat(8)}`]: 'HAYqI-ld',
  [`${'q'.repeat(64)}`]: 'ZRlfwN4j',
};

for (const [id, tag] of Object.entries(known)) {
  test(`the tag of ${id} is ${tag}`, () => assert.equal(tagOf(id), tag));
}

test('a sid has 20 characters, never twice the same, and ends with its tag', () => {
  const sids = new Set(Array.from({ length: 1000 }, () => newSid(tagOf('ws1'))));
  assert.equal(sids.size, 1000);
  for (const sid of sids) assert.match(sid, /^[A-Za-z0-9_-]{12}_9OrFaYU$/);
});

test('an id that no configuration can hold has no tag', () => {
  assert.throws(() => tagOf(''), RangeError);
  assert.throws(() => tagOf('q'.repeat(65)), RangeError);
});
