// What can be said in an event: each a list of arguments, equal to what is heard.
const bytes = (length) => Buffer.from({ length }, (_, i) => (i * 7) % 256);
const text = (length) => 'aé😀'.repeat(length / 7); // of so many bytes

export const texts = [
  [], ['plain'], [''], ['ünï € 😀   \u0000 \b\u001f \u2028 \ufeff'], ['"quoted\\ /'], ['1-0 2-0 x'],
  ['a'.repeat(31)], ['b'.repeat(32)], ['c'.repeat(255)], ['d'.repeat(256)], ['e'.repeat(65_536)],
  [null], [true, false], [null, null, 'after'], [[]], [{}], [[[[[]]]]], [{ a: { b: { c: [1, { d: null }] } } }],
  [{ '': 'empty', ' ': 'blank', 'ü': 1, 'a.b': 2, 10: 'number' }], [['many', ...Array(20).keys()]],
  [{ _placeholder: true, num: 0 }], [{ type: 'Buffer', data: [1, 2] }],
  [Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key ${i}`, i]))],
];
export const numbers = [
  0, 1, -1, 31, 32, -32, -33, 127, 128, -127, -128, -129, 255, 256, 32_767, 32_768, -32_768, -32_769, 65_535, 65_536,
  2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53,
  0.1, -0.5, 1.5, 1e-7, 5e-324, 1.7976931348623157e308 / 2 ** 980, 3.141592653589793,
];
// notepack.io writes integers from 2 ** 64 as something else.
export const wideNumbers = [1e21, 2 ** 64, -(2 ** 70), 1.7976931348623157e308];
export const binaries = [
  [bytes(3)], [bytes(0)], [bytes(256)], [bytes(65_536)], [{ inside: [bytes(4), { deep: bytes(5) }], beside: 'text' }],
  ['before', bytes(2), 'between', bytes(1), 'after'], [Array.from({ length: 10 }, (_, i) => bytes(i))],
  [text(65_536), bytes(9)],
];
export const surrogates = ['\ud800', 'x\ud800', '\udc00y', 'a\ud83db', '\udc00\ud800'];
