// The connection by which a test tells a node what to do, on Node.js; control.cpp answers the same on limpet.
import { Server } from 'socket.io';

// What JSON has no words for.
const special = {
  date: () => new Date(1.6e12 + 7),
  undefined: () => undefined,
  nan: () => NaN,
  infinity: () => -Infinity,
  inside: () => ({ date: new Date(0), nothing: undefined, list: [undefined, NaN] }),
  json: () => ({ toJSON: () => ({ by: 'toJSON' }) }),
  typed: () => new Uint8Array([1, 2, 3]),
  minusZero: () => -0,
};

export function control(http, io, application) {
  const server = new Server(http, { maxHttpBufferSize: 16 * 1024 * 1024 });
  const namespaceOf = ({ nsp = '/' }) => io.of(nsp);
  const socketOf = (choice, id) => {
    const socket = namespaceOf(choice).sockets.get(id);
    if (!socket) throw new Error('no such socket');
    return socket;
  };

  function chosen(choice) {
    const { from, to = [], except = [], flags = [], timeout } = choice;
    let all = from ? socketOf(choice, from).broadcast : namespaceOf(choice).except([]);
    for (const room of to) all = all.to(room);
    for (const room of except) all = all.except(room);
    for (const flag of flags) all = flag === 'compress' ? all.compress(true) : all[flag];
    return timeout === undefined ? all : all.timeout(timeout);
  }

  const actions = {
    emit: ([choice, event, ...values]) => { chosen(choice).emit(event, ...values); },
    emitSpecial: ([choice, event, ...names]) => { chosen(choice).emit(event, ...names.map((name) => special[name]())); },
    burst: ([choice, event, count, payload = null]) => {
      for (let i = 0; i < count; i += 1) chosen(choice).emit(event, i, payload);
    },
    single: ([choice, id, event, ...values]) => { socketOf(choice, id).emit(event, ...values); },
    serverEmit: ([choice, event, ...values]) => { namespaceOf(choice).serverSideEmit(event, ...values); },

    emitAsk: ([choice, event, ...values]) => new Promise((resolve) => {
      chosen(choice).emit(event, ...values, (error, answers) => resolve({ error: error ? 'incomplete' : null, answers }));
    }),
    serverAsk: ([choice, event, ...values]) => new Promise((resolve) => {
      namespaceOf(choice).serverSideEmit(event, ...values, (error, answers) => resolve({ error: error?.message ?? null, answers }));
    }),
    fetch: async ([choice]) => {
      try {
        const found = await chosen(choice).fetchSockets();
        const sockets = found.map(({ id, handshake, rooms, data }) => ({ id, handshake, rooms: [...rooms], data }));
        return { error: null, sockets };
      } catch (error) {
        return { error: error.message, sockets: [] };
      }
    },

    join: ([choice, rooms]) => { chosen(choice).socketsJoin(rooms); },
    leave: ([choice, rooms]) => { chosen(choice).socketsLeave(rooms); },
    kick: ([choice, close]) => { chosen(choice).disconnectSockets(close); },

    seat: ([choice, id, rooms]) => { socketOf(choice, id).join(rooms); },
    data: ([choice, id, data]) => { socketOf(choice, id).data = data; },
    self: ([choice, id]) => {
      const { rooms, data, recovered } = socketOf(choice, id);
      return { rooms: [...rooms], data, recovered };
    },

    heard: () => application.takeHeard(),
    state: () => ({ sockets: io.engine.clientsCount }),
  };

  server.on('connection', (socket) => {
    for (const [name, action] of Object.entries(actions)) {
      socket.on(name, async (...values) => {
        const ack = values.pop();
        try {
          ack(await action(values));
        } catch (error) {
          console.error(`${name}: ${error.stack}`);
        }
      });
    }
  });
}
