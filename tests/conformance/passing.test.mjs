// What stands in an event's way, and who hears what is sent: socket.use(), onAny(), onAnyOutgoing(), once().
import { sameOnBothSides } from './lib/compare.mjs';
import { Cast, transportsOf } from './lib/cast.mjs';

const enter = async (cast, name) => {
  const one = await cast.enter(name);
  const passing = await one.of('/passing').connects();
  await passing.hears('welcome');
  return { one, passing };
};

const scripts = {
  async 'middlewares of events'(cast) {
    const { passing } = await enter(cast, 'one');
    await passing.call('pass', 'through', 1, Buffer.from('abc'));
    passing.tell('pass', 'through', { a: 1 });
    await passing.hears('passed');
    await passing.call('pass', 'answer');
    await passing.call('pass', 'rename', 2);
    passing.tell('pass', 'rename');
    await passing.hears('passed');
    for (const verb of ['refuse', 'refuse plainly']) {
      passing.tell('pass', verb);
      await passing.hears('failed');
    }
    passing.tell('pass', 'drop');
    await passing.call('notes', 'in');
    const slow = passing.call('pass', 'wait');
    await passing.call('pass', 'overtakes it');
    await slow;
    await passing.call('notes', 'in');
  },

  async 'an event that waits while its client goes'(cast) {
    const { one, passing } = await enter(cast, 'one');
    passing.tell('pass', 'wait');
    await passing.call('notes', 'in');
    passing.socket.disconnect();
    await one.call('self'); // Node.js takes offence at a CONNECT that comes right behind
    const again = await one.of('/passing').connects();
    const slow = again.call('pass', 'wait');
    await slow;
    await again.call('notes', 'in');
  },

  async 'once, and no more'(cast) {
    const { passing } = await enter(cast, 'one');
    passing.tell('first');
    await passing.hears('heard the first');
    passing.tell('first');
    await passing.call('pass', 'any hears it');
    await passing.call('deaf');
    await passing.call('pass', 'any hears nothing');
    await passing.call('notes', 'in');
  },

  async 'what is sent'(cast) {
    const { passing } = await enter(cast, 'one');
    const { passing: other } = await enter(cast, 'two');
    other.socket.on('question', (ack) => ack('of two'));
    passing.socket.on('question', (...values) => values.pop()('of one'));
    await passing.call('join', 'room');
    await passing.call('watch');
    passing.tell('echo', 'single', { a: [1, null] });
    await passing.hears('echo');
    await passing.call('echo', 'an answer is none');
    passing.tell('echo', Buffer.from('four'), 'and text');
    await passing.hears('echo');
    other.tell('all', {}, 'news', 'to all');
    other.tell('all', { to: ['room'] }, 'news', 'to the room', Buffer.from('bytes'));
    other.tell('all', { except: ['room'] }, 'news', 'to others');
    other.tell('others', {}, 'news', 'from two');
    await other.call('self');
    passing.tell('ask', 2000, 'question', 'for one');
    await passing.hears('answered');
    other.tell('askRooms', { to: ['room'] }, 2000, 'question', 'for the room');
    await other.hears('answers');
    if (cast.transports[0] === 'websocket') await passing.call('volatile');
    await passing.call('notes', 'out');
    await passing.call('unwatch');
    other.tell('all', {}, 'news', 'unheard');
    await other.call('self');
    await passing.call('notes', 'out');
  },
};

for (const way of ['polling', 'WebSocket']) {
  sameOnBothSides(`events on their way, ${way}`, ['app_server'], (same) => {
    for (const [name, play] of Object.entries(scripts)) {
      same(name, async (server, world) => {
        const cast = new Cast(server, world, 4, transportsOf[way]);
        await play(cast);
        return cast.record();
      });
    }
  }, { concurrency: 1 });
}
