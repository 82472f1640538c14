// Connection state recovery: transcripts of official clients that lose their connection and come back.
import { sameOnBothSides } from './lib/compare.mjs';
import { Cast, transportsOf } from './lib/cast.mjs';

const flags = ['--recovery', '60000', '--ping-interval', '20000', '--ping-timeout', '20000', '--connect-timeout', '20000'];

// Offsets are made of the clock.
const offset = /^[\w-]{7}(\.[\w-]+)?$|(?<=[,:]")[\w-]{7}(\.[\w-]+)?(?="[\]}])/g;
const unclocked = (value) => (typeof value === 'string' ? value.replace(offset, '@')
  : Array.isArray(value) ? value.map(unclocked)
    : value && typeof value === 'object' && !Buffer.isBuffer(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unclocked(one)])) : value);

const scripts = {
  async 'comes back to rooms, data and what was missed'(cast) {
    const { one, two } = await prepared(cast);
    await cast.breaks(one, two);
    two.tell('all', {}, 'news', 'to all', { deep: [1] });
    two.tell('others', { to: ['room'] }, 'news', 'to the room');
    two.tell('all', { to: ['elsewhere'] }, 'news', 'to others');
    two.tell('all', { except: ['room'] }, 'news', 'but for the room');
    await two.call('self');
    // By polling it depends on whether a poll waits just then.
    if (cast.transports.includes('websocket')) two.tell('all', { flags: ['volatile'] }, 'news', 'lost');
    two.tell('all', { to: ['room'] }, 'news', Buffer.from('bytes'), 'and text');
    await two.call('self');
    await one.connects();
    await one.call('self');
    two.tell('all', { to: ['room'] }, 'news', 'afterwards');
    await cast.calm(two);
  },

  async 'comes back twice'(cast) {
    const { one, two } = await prepared(cast);
    for (let time = 0; time < 2; time += 1) {
      await cast.breaks(one, two);
      two.tell('all', { to: ['room'] }, 'news', `missed ${time}`);
      await two.call('self');
      await one.connects();
      await one.call('self');
    }
  },

  async 'comes back without having missed anything'(cast) {
    const { one, two } = await prepared(cast);
    await cast.breaks(one, two);
    await one.connects();
    await one.call('self');
  },

  async 'has another private id'(cast) {
    const { one, two } = await prepared(cast);
    await cast.breaks(one, two);
    one.socket._pid = 'AAAAAAAAAAAAAAAAAAAA';
    await one.connects();
    await one.call('self');
  },

  async 'has an offset that there never was'(cast) {
    const { one, two } = await prepared(cast);
    await cast.breaks(one, two);
    one.socket._lastOffset = 'AAAAAAA';
    await one.connects();
    await one.call('self');
  },

  async 'has no offset'(cast) {
    const { one, two } = await prepared(cast);
    await cast.breaks(one, two);
    one.socket._lastOffset = undefined;
    await one.connects();
    await one.call('self');
  },

  async 'has left on purpose'(cast) {
    const { one, two } = await prepared(cast);
    one.socket.disconnect();
    await two.hears('left');
    await one.connects();
    await one.call('self');
  },

  async 'was sent away'(cast) {
    const { one, two } = await prepared(cast);
    one.tell('bye', false);
    await one.leaves();
    await two.hears('left');
    await one.connects();
    await one.call('self');
  },

  // What carries an offset and what does not.
  async 'offsets'(cast) {
    const { one, two } = await prepared(cast);
    one.socket.on('question', (...values) => values.pop()('answer'));
    await one.call('echo', 'acknowledged');
    one.tell('echo', 'single');
    await one.hears('echo');
    one.tell('echo', Buffer.from('binary'));
    await one.hears('echo');
    one.tell('ask', 2000, 'question');
    await one.hears('answered');
    two.tell('askRooms', { to: ['room'] }, 2000, 'question');
    await two.hears('answers');
    two.tell('all', { flags: ['local'] }, 'news', 'local');
    await cast.calm(two);
  },
};

// One is in a room and has data and an offset; two sees who goes.
async function prepared(cast) {
  const one = await cast.enter('one');
  const two = await cast.enter('two');
  await two.call('join', 'watchers');
  await one.call('join', 'room');
  await one.call('note', { of: 'one' });
  two.tell('others', { to: ['room'] }, 'news', 'before');
  await one.hears('news');
  return { one, two };
}

for (const way of ['polling', 'WebSocket']) {
  sameOnBothSides(`a client that comes back, ${way}`, ['app_server', ...flags], (same) => {
    for (const [name, play] of Object.entries(scripts)) {
      same(name, async (server, world) => {
        const cast = new Cast(server, world, 4, transportsOf[way]);
        await play(cast);
        return unclocked(cast.record());
      });
    }
  }, { concurrency: 1 });
}
