// Socket.IO packets beside Node.js: good ones and bad ones, in raw text over WebSocket.
import assert from 'node:assert/strict';
import { sameOnBothSides } from './lib/compare.mjs';
import { Polling, Socket } from './lib/engine_client.mjs';
import { afterSending, settled } from './lib/packets.mjs';
import { onBothSides } from './lib/requirements.mjs';
import { slowness, until, within } from '../e2e/lib/deadline.mjs';

const options = { path: '/socket.io/' };
const one = '{"_placeholder":true,"num":0}';
const two = '{"_placeholder":true,"num":1}';
const bytes = (text) => Buffer.from(text);

// In the main namespace, which was joined before.
const joined = {
  'nothing': [],
  'an empty message': ['4'],
  'an unknown type': ['4abc'],
  'type 7': ['47'],
  'type 9': ['49'],
  'an event without a payload': ['42'],
  'an event that is an object': ['42{}'],
  'an event that is a text': ['42"echo"'],
  'an event that is null': ['42null'],
  'an empty array': ['42[]'],
  'an event without an end': ['42["echo"'],
  'an event with letters before it': ['42abc["echo"]'],
  'an event with bytes after it': ['42["echo"]x'],
  'an event with white space after it': ['42["echo",1] '],
  'an event with white space within it': ['42[ "echo" , 1 ]'],
  'an event with a comma at its end': ['42["echo",1,]'],
  'an event whose name is null': ['42[null,1]'],
  'an event whose name is true': ['42[true,1]'],
  'an event whose name is a list': ['42[["echo"],1]'],
  'an event whose name is a number': ['42[7,1]'],
  'an event whose name is 1.5': ['42[1.5,1]'],
  'an event that nobody handles': ['42["nobody",1]'],
  'an event that nobody handles, with an ack': ['427["nobody",1]'],
  'an event whose name is empty': ['42["",1]'],
  'an event whose name is a word of JavaScript': ['42["constructor",1]', '42["__proto__",1]', '42["toString"]'],
  'an acknowledged event': ['427["echo",1,2]'],
  'ack 0': ['420["echo",1]'],
  'an ack number with zeros before it': ['42007["echo",1]'],
  'an ack that nobody waits for': ['43999[1]'],
  'an ack without a number': ['43[1]'],
  'an ack that is an object': ['431{}'],
  'an ack without a payload': ['431'],
  'a CONNECT_ERROR': ['44{"message":"a"}'],
  'a CONNECT_ERROR of text': ['44"a"'],
  'a DISCONNECT with a payload': ['41{}'],
  'a DISCONNECT': ['41'],
  'an event after a DISCONNECT': ['41', '42["echo",1]'],
  'an ack after a DISCONNECT': ['41', '431[1]'],
  'two DISCONNECTs': ['41', '41'],
  'a CONNECT again': ['40'],
  'a CONNECT after a DISCONNECT': ['41', '40', '42["echo",1]'],
  'an event for a namespace that is not joined': ['42/custom,["echo",1]'],
  'an event for a namespace that there is not': ['42/nothing,["echo",1]'],
  'a DISCONNECT from a namespace that is not joined': ['41/custom,'],
  'a CONNECT whose payload is null': ['40/custom,null'],
  'a CONNECT whose payload is a list': ['40/custom,[]'],
  'a CONNECT whose payload is a text': ['40/custom,"a"'],
  'a CONNECT whose payload is a number': ['40/custom,1'],
  'a CONNECT with an ack number': ['40/custom,1{"a":1}'],
  'a CONNECT without a comma': ['40/custom'],
  'a CONNECT to a name with a query': ['40/custom?a=1,'],
  'a CONNECT to an empty name': ['40/,'],
  'a CONNECT to a name without its end': ['40/custom{"a":1}'],
  'a CONNECT to an unknown namespace': ['40/random,{"a":1}'],
  'a CONNECT to a name of JavaScript': ['40/constructor,', '40/__proto__,'],
  'a CONNECT with a nested payload': ['40/custom,{"a":{"b":[1,null,"é"]}}'],
  'a CONNECT with a key twice': ['40/custom,{"a":1,"b":2,"a":3}'],
  'a CONNECT with keys that are numbers': ['40/custom,{"b":1,"2":2,"1":3,"a":4}'],
  'events in two namespaces': ['40/custom,', '42/custom,["echo",1]', '42["echo",2]', '42/custom,5["echo",3]'],
  'a binary event': [`451-["echo",${one}]`, bytes('abc')],
  'a binary event with two, out of order': [`452-["echo",${two},${one}]`, bytes('a'), bytes('b')],
  'a binary event with one, twice': [`451-["echo",${one},${one}]`, bytes('a')],
  'a binary event with one that nothing names': ['451-["echo",1]', bytes('a')],
  'a binary event with num first': ['451-["echo",{"num":0,"_placeholder":true}]', bytes('a')],
  'a binary event with more in a placeholder': ['451-["echo",{"_placeholder":true,"num":0,"x":1}]', bytes('a')],
  'a binary event, deep': [`451-["echo",{"a":[${one}]}]`, bytes('a')],
  'a binary event with an ack': [`451-8["echo",${one}]`, bytes('abc')],
  'a binary event in a namespace': ['40/custom,', `451-/custom,8["echo",${one}]`, bytes('abc')],
  'a binary event of nothing': [`451-["echo",${one}]`, Buffer.alloc(0)],
  'a placeholder out of range': ['451-["echo",{"_placeholder":true,"num":1}]', bytes('a')],
  'a placeholder below zero': ['451-["echo",{"_placeholder":true,"num":-1}]', bytes('a')],
  'a placeholder without a number': ['451-["echo",{"_placeholder":true}]', bytes('a')],
  'a placeholder whose number is a text': ['451-["echo",{"_placeholder":true,"num":"0"}]', bytes('a')],
  'a placeholder that is not true': ['451-["echo",{"_placeholder":1,"num":0}]', bytes('a')],
  'a placeholder in a plain event': [`42["echo",${one}]`],
  'a placeholder as the name of an event': [`451-[${one}]`, bytes('a')],
  'no attachments': ['450-["echo"]'],
  'a count of attachments with a zero before it': [`4501-["echo",${one}]`, bytes('a')],
  'ten attachments': [`4510-["echo",${one}]`, ...'0123456789'].map((text, i) => (i ? bytes(text) : text)),
  'eleven attachments': [`4511-["echo",${one}]`],
  'attachments without a count': [`45-["echo",${one}]`],
  'attachments without a dash': [`451["echo",${one}]`],
  'attachments with a sign': [`45-1-["echo",${one}]`],
  'attachments that are a fraction': [`451.5-["echo",${one}]`],
  'a text while attachments are awaited': [`452-["echo",${one}]`, bytes('a'), '42["echo",1]'],
  'an attachment nobody awaits': [bytes('a')],
  'attachments for a namespace that is not joined': [`451-/custom,["echo",${one}]`, bytes('a')],
  'an invalid binary event': ['451-{}'],
  'an invalid binary ack': ['461-1{}'],
  'a binary ack nobody waits for': [`461-99[${one}]`, bytes('a')],
};
for (const name of [
  'connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 'error', 'connection',
  'message',
]) {
  joined[`an event named ${name}`] = [`42["${name}",1]`];
}

// What JavaScript makes of JSON: sent as an argument, it comes back as JSON.stringify() writes it.
const values = [
  '1.0', '1.50', '-0', '-0.0', '0', '1e3', '1E3', '1e+3', '1e21', '1e20', '123456789012345680000', '1e-6', '1e-7',
  '0.000001', '0.0000001', '1.5e300', '1e400', '-1e400', '5e-324', '1e-400', '4.9e-324', '2.2250738585072014e-308',
  '1.7976931348623157e308', '9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551615',
  '18446744073709551616', '-9223372036854775808', '-9223372036854775809', '0.1', '0.30000000000000004', '100', '1e2',
  '12e-1', '4.35', '1.005', '123456.789e3', '3.0e0', '1e22', '12345678901234567890123', '0.1e1', '-1.5e-9', 'true',
  'false', 'null', '""', '"a"', '"é€𝄞"', '"\\u00e9\\u20ac\\ud834\\udd1e"', '"\\ud834"', '"\\udd1e"',
  '"\\udd1e\\ud834"', '"a\\ud834b"', '"\\uD834\\u0041"', '"\\u0000\\u0001\\u001f\\u007f\\u0080"',
  '"\\b\\f\\n\\r\\t\\"\\\\\\/"', '"/"', '"\u2028\u2029"', '"\\u2028"', '"\u007f"', '"\ufeff"', '"<script>"', '{}',
  '[]', '[[[]]]', '{"a":{"b":{}}}', '{"b":1,"a":2}', '{"2":1,"1":2,"a":3,"0":4}',
  '{"10":1,"9":2,"-1":3,"01":4,"1.5":5}', '{"4294967294":1,"4294967295":2,"4294967296":3,"1":4}', '{"a":1,"a":2}',
  '{"a":1,"b":2,"a":3}', '{"":1}', '{"__proto__":1}', '{"__proto__":{"a":1}}', '{"constructor":1}', '{"toJSON":1}',
  '{"a\\ud834":1}', '[1,,2]', '[01]', '[+1]', '[.5]', '[5.]', '[1e]', '[0x1]', '[NaN]', '[Infinity]', '[undefined]',
  "['a']", '{a:1}', '["\t"]', '["\\x41"]', '["\\u12"]', '[-]', '[tru]', '[nullx]', '["a]', '\u00a01', '\v1', '/**/1',
  '1/**/',
];

sameOnBothSides('Socket.IO packets', ['app_server'], (same) => {
  for (const [name, messages] of Object.entries(joined)) {
    same(name, (server, world) => afterSending(server, world, ['40', ...messages]));
  }
  for (const value of values) {
    same(`the value ${JSON.stringify(value).slice(0, 60)}`, (server, world) => afterSending(server, world, ['40', `42["echo",${value}]`]));
  }
  for (const name of ['1.0', '1e21', '-0', '"\\ud834"', '"a\\u0041"']) {
    same(`an ack for values, ${name}`, (server, world) => afterSending(server, world, ['40', `4212["echo",[${name}],{"k":${name}}]`]));
  }

  const first = {
    'an event': '42["echo",1]', 'a DISCONNECT': '41', 'an ack': '431[1]', 'a binary event': `451-["echo",${one}]`,
    bytes: bytes('a'), letters: '4abc', nothing: '4',
  };
  for (const [name, message] of Object.entries(first)) {
    same(`${name} before a CONNECT`, (server, world) => afterSending(server, world, [message]));
  }
  same('an event for a namespace that was left', (server, world) =>
    afterSending(server, world, ['40', '40/custom,', '41/custom,', '42/custom,["echo",1]']),
  );
});

// JavaScript reads numbers more kindly than the protocol says; no client writes such, and limpet closes.
const odd = {
  'an ack number of 2^53': ['429007199254740993["echo",1]'],
  'a huge ack number': [`42${'9'.repeat(30)}["echo",1]`],
  'a placeholder that is a half': ['451-["echo",{"_placeholder":true,"num":0.5}]', bytes('a')],
  'attachments in exponents': [`451e0-["echo",${one}]`, bytes('a')],
  'attachments in hexadecimal': [`450x1-["echo",${one}]`, bytes('a')],
  'attachments with a space': [`45 1-["echo",${one}]`, bytes('a')],
};
onBothSides('odd numbers', ['app_server'], (fact, side) => {
  for (const [name, messages] of Object.entries(odd)) {
    fact(name, async (server, world) => {
      const { closed } = await afterSending(server, world, ['40', ...messages]);
      if (side === 'limpet') assert.deepEqual(closed, { code: 1005, reason: '' });
    });
  }
});

sameOnBothSides('who may join', ['app_server'], (same) => {
  const asked = {
    'a guard lets in': ['40/guarded,{"name":"a"}'],
    'a guard refuses': ['40/guarded,{"refusal":"not you"}'],
    'a guard refuses with data': ['40/guarded,{"refusal":"not you","data":{"code":7,"why":["a",null]}}'],
    'a guard refuses with a text': ['40/guarded,{"refusal":"not you","data":"why"}'],
    'a guard refuses, and is asked again': ['40/guarded,{"refusal":"not you"}', '40/guarded,'],
    'an event after a refusal': ['40/guarded,{"refusal":"not you"}', '42/guarded,["echo",1]'],
    'a DISCONNECT after a refusal': ['40/guarded,{"refusal":"not you"}', '41/guarded,'],
    'a namespace by pattern': ['40/dynamic-1,', '42/dynamic-1,["echo",1]'],
    'a namespace by pattern, another': ['40/dynamic-2,{"a":1}', '40/dynamic-3,'],
    'a name that the pattern does not fit': ['40/dynamic-x,', '40/dynamic-1x,'],
    'a namespace that a function allows': ['40/asked-1,{"token":"good"}', '42/asked-1,["echo",1]'],
    'a namespace that a function refuses': ['40/asked-1-1,{"token":"bad"}', '40/asked-1-1,'],
  };
  for (const [name, messages] of Object.entries(asked)) same(name, (server, world) => afterSending(server, world, messages));

  const slow = (server, world, messages, awaits) => afterSending(server, world, messages, { awaits });
  same('a slow guard', (server, world) => slow(server, world, ['40/slow,{"a":1}'], '42/slow,["welcome",{"a":1}]'));
  same('a slow guard refuses', (server, world) => slow(server, world, ['40/slow,{"refusal":"no"}'], '44/slow,{"message":"no"}'));
  same('two CONNECTs while a guard thinks', (server, world) =>
    slow(server, world, ['40/slow,{"a":1}', '40/slow,{"a":2}'], '42/slow,["welcome",{"a":2}]'),
  );
  same('an event while a guard thinks', (server, world) =>
    slow(server, world, ['40', '40/slow,', '42/slow,["echo",1]'], 'a close'),
  );
  same('a DISCONNECT while a guard thinks', (server, world) => slow(server, world, ['40', '40/slow,', '41/slow,'], 'a close'));
});

sameOnBothSides('a parent of namespaces', ['app_server'], (same) => {
  same('tells all of its children', (server, world) =>
    afterSending(server, world, ['40', '40/dynamic-1,', '40/dynamic-2,', '42["toChildren","from-parent",1]']),
  );
});

sameOnBothSides('connections of Socket.IO 2', ['app_server', '--eio3'], (same) => {
  const sent = {
    'nothing': [],
    'an event': ['42["echo",1]', '427["echo",{"a":1}]'],
    'a namespace': ['40/custom,', '42/custom,["echo",1]'],
    'a namespace with a query': ['40/custom?a=1&b=%20x,', '42/custom?a=1,["echo",1]'],
    'an unknown namespace': ['40/random,'],
    'a guard refuses': ['40/guarded?refusal=no,'],
    'a guard refuses with data': ['40/guarded?refusal=no&data=why,'],
    'the main namespace again': ['40'],
    'a DISCONNECT': ['41'],
    'a binary event': [`451-["echo",${one}]`, Buffer.concat([Buffer.from([4]), bytes('abc')])],
    'an invalid packet': ['42{}'],
  };
  for (const [name, messages] of Object.entries(sent)) {
    same(name, async (server, world) => {
      const socket = world.own(await Socket.open(server, { ...options, eio: '3', pongs: false }));
      await settled(socket);
      for (const message of messages) {
        socket.send(message);
        if (!/^4[56]/.test(message)) await settled(socket);
      }
      await settled(socket);
      const { sid } = socket.handshake;
      return {
        received: socket.received.map((message) => (Buffer.isBuffer(message) ? message : message.replaceAll(sid, '*'))),
        closed: socket.closed,
      };
    });
  }
});

sameOnBothSides('who never joins', ['app_server', '--connect-timeout', `${1000 * slowness}`], (same) => {
  same('is closed', async (server, world) => (await world.own(await Socket.open(server, options)).closes()));
  same('is closed by polling', async (server) => {
    const session = await Polling.open(server, options);
    const { status, text } = await within(session.get(), 5000, 'the poll is answered');
    return [status, text];
  });
  same('is not closed once it has joined and left', async (server, world) => {
    const socket = world.own(await Socket.open(server, { ...options, pongs: false }));
    socket.send('40');
    await until(() => socket.received.length === 2, 5000, 'it has joined');
    socket.send('41');
    // Its time is up when that of one that came later is.
    await world.own(await Socket.open(server, options)).closes();
    socket.send('40');
    await until(() => socket.closed || socket.received.length === 4, 5000, 'it joins again');
    return socket.received;
  });
});

