// Connection state recovery: transcripts of official clients that lose their connection and come back.
import { sameOnBothSides } from './lib/compare.mjs';
import { Cast, transportsOf } from './lib/cast.mjs';
import { until } from '../e2e/lib/deadline.mjs';

const flags = ['--recovery', '60000'];

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

// What is sent to a session's rooms while a middleware thinks about whoever brings it is nobody's, there as here.
const held = {
  async 'is thought about'(cast) {
    const { one, two, inside } = await waiting(cast);
    await cast.breaks(one, two);
    two.tell('allHeld', 'news', 'missed');
    await two.call('self');
    await one.connects();
    await two.call('someoneWaits');
    two.tell('allHeld', 'news', 'while it thinks');
    await two.call('self');
    await two.call('letIn');
    await isIn(inside);
    await inside.call('self');
    two.tell('allHeld', 'afterwards');
    await inside.hears('afterwards');
  },
};
const notHeld = {
  async 'is not thought about again'(cast) {
    const { one, two, inside } = await waiting(cast);
    await cast.breaks(one, two);
    two.tell('allHeld', 'news', 'missed');
    await two.call('self');
    await one.connects();
    await isIn(inside);
    two.tell('allHeld', 'afterwards');
    await inside.hears('afterwards');
  },
};

const isIn = (client) => until(() => client.socket.connected, 5000, 'the client has been let in');

// One is in a room of /held, too, where two has let it in.
async function waiting(cast) {
  const { one, two } = await prepared(cast);
  const inside = one.of('/held');
  inside.socket.connect();
  await two.call('someoneWaits');
  await two.call('letIn');
  await isIn(inside);
  await inside.hears('welcome');
  await inside.call('join', 'room');
  two.tell('allHeld', 'news', 'before');
  await inside.hears('news');
  return { one, two, inside };
}

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

// What is of one namespace: when the answers of others come in between is chance.
const within = (namespace, record) => Object.fromEntries(Object.entries(record).map(([name, { sent, got, told }]) => [name, {
  sent: sent.filter((packet) => packet.startsWith?.(`${namespace},`, 1)),
  got: got.filter((packet) => packet.startsWith?.(`${namespace},`, 1)),
  told: told.filter(([of]) => of === namespace),
}]));

function compare(title, serverFlags, cases) {
  sameOnBothSides(title, ['app_server', ...flags, ...serverFlags], (same) => {
    for (const [name, { way, play, namespace }] of Object.entries(cases)) {
      same(name, async (server, world) => {
        const cast = new Cast(server, world, 4, transportsOf[way]);
        await play(cast);
        return unclocked(namespace ? within(namespace, cast.record()) : cast.record());
      });
    }
  }, { concurrency: 1 });
}

const over = (way, plays, namespace) => Object.fromEntries(Object.entries(plays).map(([name, play]) => [name, { way, play, namespace }]));
for (const way of ['polling', 'WebSocket']) compare(`a client that comes back, ${way}`, [], over(way, scripts));
compare('a client that comes back to an asynchronous middleware, asked again', ['--ask-again'], over('WebSocket', held, '/held'));
compare('a client that comes back to an asynchronous middleware, not asked', [], over('WebSocket', notHeld, '/held'));
