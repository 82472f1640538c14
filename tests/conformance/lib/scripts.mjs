// What official clients play, the same on both sides: values, bytes, acks, rooms, namespaces, endings.
import { Cast, transportsOf } from './cast.mjs';
import { sameOnBothSides } from './compare.mjs';

const shapes = [
  null, true, false, 0, -1, 1.5, 1e21, 1e-7, 123456789012, -0, 2 ** 53, 5e-324, '', 'text', 'é€𝄞', '\u0000\u001f\u007f\u2028', '"\\/\b\f\n\r\t', '\ud834', 'a\udd1eb', [], {}, [[[]]], [null, [1, 'a', {}]],
  { a: { b: [1, { c: null }] } }, { 2: 'b', 1: 'a', z: 0, y: 1 }, { '': 1, 'k€y': 'v', '"': 2 }, { a: undefined, b: 1 }, [undefined, NaN, Infinity], 'x'.repeat(20_000), new Date(0), Array.from({ length: 200 }, (_, i) => i / 7),
  { _placeholder: true, num: 0 }, 9007199254740991, -9007199254740991, 1e300, 0.1 + 0.2, 1 / 3, 100000000000000000000, 123e-20, 4.35, 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64,
];
const bytes = (length) => Buffer.from(Array.from({ length }, (_, i) => i & 0xff));

const scripts = {
  // Every shape of JSON goes there and back, as an event and as an answer.
  async values(cast) {
    const one = await cast.enter('one');
    for (const shape of shapes) await one.call('echo', shape);
    await one.call('echo', ...shapes);
    await one.call('echo');
    one.tell('echo', ...shapes);
    await one.hears('echo');
    one.tell('echo');
    await one.hears('echo');
    await one.call('thrice');
    await one.call('echo', { a: 1 }, 'after three answers');
    for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 'error', 'connection', 'message']) await one.call('forbidden', name);
  },

  async binary(cast) {
    const one = await cast.enter('one');
    for (const length of [0, 1, 3, 125, 126, 1000, 65_535, 65_536]) await one.call('echo', bytes(length));
    await one.call('echo', { a: [bytes(4), { b: bytes(5) }], c: 'text' }, bytes(6), 7);
    await one.call('echo', ...Array.from({ length: 10 }, (_, i) => bytes(i + 1)));
    one.tell('echo', bytes(3), { deep: { deeper: [bytes(2)] } });
    await one.hears('echo');
    await one.call('echo', new Uint8Array([1, 2, 3]), new Uint8Array([4]).buffer);
    for (let i = 0; i < 20; i += 1) one.tell('echo', i, bytes(i));
    for (let i = 0; i < 20; i += 1) await one.hears('echo');
  },

  async acks(cast) {
    const one = await cast.enter('one');
    one.socket.on('question', (...values) => { const ack = values.pop(); ack('answer', ...values); ack('again'); });
    one.socket.on('silence', () => {});
    one.tell('ask', 2000, 'question', 1, { a: 2 });
    await one.hears('answered');
    one.tell('ask', 2000, 'question', bytes(4));
    await one.hears('answered');
    one.tell('ask', 50, 'silence');
    await one.hears('answered');
    one.tell('ask', 2000, 'question');
    await one.hears('answered');
    const two = await cast.enter('two');
    two.socket.on('question', (ack) => ack('from two', 'lost'));
    two.socket.on('silence', () => {});
    await cast.calm(one);
    one.tell('askRooms', { to: [] }, 2000, 'question');
    await one.hears('answers');
    await one.call('join', 'room');
    await two.call('join', 'room');
    one.tell('askRooms', { to: ['room'], except: ['nobody'] }, 50, 'silence');
    await one.hears('answers');
    one.tell('askRooms', { to: ['empty'] }, 2000, 'question');
    await one.hears('answers');
    await cast.calm(one);
  },

  async rooms(cast) {
    const [one, two, three] = [await cast.enter('one'), await cast.enter('two'), await cast.enter('three')];
    for (const [client, ...rooms] of [[one, 'a'], [two, 'a', 'b'], [three, 'b', 'ç "quoted"', '', 'a,b']]) for (const room of rooms) await client.call('join', room);
    const choices = [{}, { to: ['a'] }, { to: ['a', 'b'] }, { to: ['b'], except: ['a'] }, { except: ['a'] }, { to: ['nowhere'] }, { to: ['a', 'nowhere'] }, { to: ['ç "quoted"'] }, { to: [''] }, { to: ['a,b'] },
      { flags: ['local'] }, { to: ['a'], flags: ['compress'] }, { to: ['b'], except: ['nowhere'] }];
    for (const [i, choice] of choices.entries()) {
      one.tell('others', choice, 'news', i, 'to others');
      await cast.calm(one);
      one.tell('all', choice, 'news', i, 'to all', { deep: [i] });
      await cast.calm(one);
    }
    two.tell('all', { to: ['b'] }, 'news', bytes(5), 'binary', { more: bytes(2) });
    await cast.calm(two);
    await two.call('leave', 'b');
    await two.call('leave', 'b');
    await two.call('join', 'a');
    two.tell('all', { to: ['b'] }, 'news', 'after leaving');
    await cast.calm(two);
    if (cast.transports.at(-1) === 'websocket') {
      one.tell('all', { flags: ['volatile'] }, 'news', 'volatile');
      await cast.calm(one);
    }
    // From afar.
    for (const [client, data] of [[one, 1], [two, { name: 'two' }], [three, null]]) await client.call('note', data);
    for (const choice of [{}, { to: ['a'] }, { except: ['a'] }, { to: ['nowhere'] }]) await one.call('find', choice);
    one.tell('sweepIn', { to: ['a'] }, ['swept', 'too']);
    await cast.calm(one);
    one.tell('sweepOut', { to: ['b', 'swept'] }, ['swept', 'b']);
    await cast.calm(one);
    one.tell('kick', { to: ['too'], except: ['a'] }, false);
    one.tell('kick', { to: [], except: ['a'] }, false);
    await three.leaves();
    await cast.calm(one);
    one.tell('kick', { to: ['a'] }, true);
    await Promise.all([one.leaves(), two.leaves()]);
  },

  async namespaces(cast) {
    const one = await cast.enter('one');
    const enter = async (name, auth) => {
      const other = await one.of(name, auth && { auth }).connects();
      if (other.socket.connected) await other.hears('welcome');
      return other;
    };
    const custom = await enter('/custom', { token: 'abc' });
    await custom.call('echo', 1, bytes(2));
    await custom.call('join', 'room');
    one.tell('all', { to: ['room'] }, 'news', 'not for /custom');
    custom.tell('all', { to: ['room'] }, 'news', 'for /custom');
    await custom.hears('news');
    await enter('/nowhere');
    await enter('/dynamic-1', { a: 1 });
    await enter('/dynamic-x');
    await (await enter('/dynamic-0')).call('self');
    if (cast.version === 4) {
      await enter('/guarded', { refusal: 'not you', data: { code: 7 } });
      await enter('/guarded', { refusal: 'nor you' });
      await enter('/asked-1', { token: 'good' });
      await enter('/asked-2', { token: 'bad' });
    }
    await enter('/slow');
    await (await enter('/guarded')).call('self');
    one.tell('toChildren', 'from-parent', 1, 'two');
    await cast.calm(one);
    custom.socket.disconnect();
    await one.call('echo', 'still here');
  },

  // Who leaves how, as a watcher is told of it and as the client is.
  async endings(cast) {
    const watcher = await cast.enter('watcher');
    await watcher.call('join', 'watchers');
    const ways = {
      disconnects: (client) => client.socket.disconnect(),
      closes: (client) => client.socket.io.engine.close(),
      bye: (client) => client.tell('bye', false),
      'bye-close': (client) => client.tell('bye', true),
    };
    if (cast.transports.at(-1) === 'websocket') {
      ways.breaks = (client) => client.socket.io.engine.transport.ws.terminate();
      ways.lies = (client) => client.socket.io.engine.send('2{}');
    }
    for (const [name, leave] of Object.entries(ways)) {
      const client = await cast.enter(name);
      await client.call('join', 'a room');
      leave(client);
      await client.leaves();
      await watcher.hears('left');
    }
    const twice = await cast.enter('twice');
    const other = await twice.of('/custom').connects();
    await other.hears('welcome');
    await other.call('join', 'a');
    twice.tell('bye', true);
    await Promise.all([twice.leaves(), other.leaves()]);
    await watcher.hears('left');
    await cast.calm(watcher);
  },
};

// Every script by one version of the client (4 or 2) on some of the ways of transportsOf, each with servers of its own.
export function compareTranscripts(version, ways, flags = []) {
  for (const way of ways) {
    for (const [script, play] of Object.entries(scripts)) {
      sameOnBothSides(`${script}, client ${version}, ${way}`, ['app_server', ...flags], (same) => {
        same('transcript', async (server, world) => {
          const cast = new Cast(server, world, version, transportsOf[way], { auth: { token: 'a' }, query: { token: 'a' } });
          await play(cast);
          return cast.record();
        });
      });
    }
  }
}
