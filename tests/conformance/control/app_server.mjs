// An application that does on request what Socket.IO can do, on Node.js; app_server.cpp is the same on limpet.
import { Server } from 'socket.io';
import { listening, options } from './flags.mjs';

const io = new Server(listening(), options);

// Rooms but a socket's own, whose name is random.
const rooms = (socket) => [...socket.rooms].filter((room) => room !== socket.id).sort();

// { to: [rooms], except: [rooms], flags: ['volatile', 'local', 'compress'] } from a socket (others) or a namespace (all).
function chosen(from, { to = [], except = [], flags = [] }) {
  let choice = from;
  for (const room of to) choice = choice.to(room);
  for (const room of except) choice = choice.except(room);
  for (const flag of flags) choice = flag === 'compress' ? choice.compress(true) : choice[flag];
  return choice;
}

const actions = {
  echo: (socket, nsp, values, ack) => (ack ? ack(...values) : socket.emit('echo', ...values)),
  join: (socket, nsp, [room], ack) => { socket.join(room); ack(rooms(socket)); },
  leave: (socket, nsp, [room], ack) => { socket.leave(room); ack(rooms(socket)); },
  note: (socket, nsp, [data], ack) => { socket.data = data; ack(data); },
  self: (socket, nsp, values, ack) => ack({ rooms: rooms(socket), data: socket.data, recovered: socket.recovered }),
  others: (socket, nsp, [choice, event, ...values]) => chosen(socket.broadcast, choice).emit(event, ...values),
  all: (socket, nsp, [choice, event, ...values]) => chosen(nsp.except([]), choice).emit(event, ...values),
  ask: (socket, nsp, [ms, event, ...values]) => socket.timeout(ms)
    .emit(event, ...values, (error, ...replies) => socket.emit('answered', error ? error.message : null, ...replies)),
  askRooms: (socket, nsp, [choice, ms, event, ...values]) => chosen(nsp.except([]), choice).timeout(ms)
    .emit(event, ...values, (error, replies) => socket.emit('answers', !error, replies.sort())),
  find: async (socket, nsp, [choice], ack) => {
    const found = await chosen(nsp.except([]), choice).fetchSockets();
    ack(found.map((one) => ({ rooms: rooms(one), data: one.data })).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
  },
  sweepIn: (socket, nsp, [choice, names]) => chosen(nsp.except([]), choice).socketsJoin(names),
  sweepOut: (socket, nsp, [choice, names]) => chosen(nsp.except([]), choice).socketsLeave(names),
  kick: (socket, nsp, [choice, close]) => chosen(nsp.except([]), choice).disconnectSockets(close),
  bye: (socket, nsp, [close]) => socket.disconnect(close),
  forbidden: (socket, nsp, [event], ack) => {
    try {
      socket.emit(event);
      ack('sent');
    } catch (error) {
      ack('refused');
    }
  },
  thrice: (socket, nsp, values, ack) => { ack(1); ack(2); ack(3); },
  toChildren: (socket, nsp, [event, ...values]) => dynamic.emit(event, ...values),
};

function prepare(nsp) {
  nsp.on('connection', (socket) => {
    socket.emit('welcome', socket.handshake.auth);
    for (const [name, action] of Object.entries(actions)) {
      socket.on(name, (...values) => {
        const ack = typeof values.at(-1) === 'function' ? values.pop() : undefined;
        action(socket, socket.nsp, values, ack);
      });
    }
    socket.on('disconnecting', (reason) => { socket.left = [reason, rooms(socket)]; });
    socket.on('disconnect', (reason) => socket.nsp.to('watchers').emit('left', reason, ...socket.left, rooms(socket)));
  });
  return nsp;
}

prepare(io.of('/'));
prepare(io.of('/custom'));
prepare(io.of('/guarded')).use((socket, next) => {
  const { refusal, data } = socket.handshake.auth;
  if (!refusal) return next();
  const error = new Error(refusal);
  if (data !== undefined) error.data = data;
  return next(error);
});
prepare(io.of('/slow')).use((socket, next) => setTimeout(() => next(socket.handshake.auth.refusal && new Error(socket.handshake.auth.refusal)), 30));

// Who joins /held waits until somebody lets him in.
const held = [];
let arrival = () => {};
prepare(io.of('/held')).use((socket, next) => { held.push(next); arrival(); });
io.on('connection', (socket) => {
  socket.on('someoneWaits', (ack) => { if (held.length) ack(); else arrival = () => { arrival = () => {}; ack(); }; });
  socket.on('letIn', (ack) => { for (const next of held.splice(0)) next(); ack(); });
  socket.on('allHeld', (event, ...values) => io.of('/held').to('room').emit(event, ...values));
});

// Events on their way in and out.
const shown = (values) => values.filter((value) => typeof value !== 'function')
  .map((value) => (Buffer.isBuffer(value) ? `${value.length} bytes` : value));
prepare(io.of('/passing')).on('connection', (socket) => {
  const notes = { in: [], out: [] };
  socket.use((event, next) => {
    const [name, verb] = event;
    if (name !== 'pass') return next();
    notes.in.push(['first', ...shown(event.slice(1))]);
    switch (verb) {
      case 'refuse': return next(Object.assign(new Error('refused'), { data: { verb } }));
      case 'refuse plainly': return next(new Error('refused plainly'));
      case 'drop': return undefined;
      case 'wait': return setTimeout(next, 50);
      case 'answer': return event.at(-1)('the first has answered');
      case 'rename': event[0] = 'renamed'; event[1] = 'changed'; return next();
      default: return next();
    }
  });
  socket.use(([name, verb], next) => { if (name === 'pass' || name === 'renamed') notes.in.push(['second', name, verb]); next(); });
  socket.on('error', (error) => socket.emit('failed', error.message, error.data ?? null));
  socket.onAny((name, ...values) => { if (name === 'pass') notes.in.push(['any', ...shown(values)]); });
  for (const name of ['pass', 'renamed']) {
    socket.on(name, (...values) => {
      notes.in.push([name, ...shown(values)]);
      if (typeof values.at(-1) === 'function') values.at(-1)(name);
      else socket.emit('passed', name, ...values);
    });
  }
  socket.once('first', () => socket.emit('heard the first'));
  socket.on('deaf', (ack) => { socket.offAny(); ack(); });
  socket.on('watch', (ack) => { socket.onAnyOutgoing((...event) => notes.out.push(shown(event))); ack(); });
  socket.on('unwatch', (ack) => { socket.offAnyOutgoing(); ack(); });
  socket.on('volatile', (ack) => { socket.volatile.emit('news', 'volatile'); ack(); });
  socket.on('notes', (way, ack) => ack(notes[way].splice(0)));
});
const dynamic = prepare(io.of(/^\/dynamic-\d+$/));
io.of('/dynamic-0'); // its child as well, though no client has asked for it yet
prepare(io.of((name, auth, next) => next(null, name.startsWith('/asked-') && auth.token === 'good')));
