// What is measured: the cells, their load, and what limpet has to reach in each.
//
// `goal` is a share of the floor's operations per CPU second, `nodejs` a multiple of those of Node.js with `ws`.
// `variant` names servers that are started otherwise. `rounds`: at most so many, where one says nearly all. `quick`
// cells are those of a quick run, with these flags changed.

const echo = (size, sockets, more = {}) =>
  ({ unit: 'echo', mode: 'io-echo', flags: { size, sockets, 'in-flight': more.inFlight ?? 1 }, goal: 0.8, latency: true, ...more });

// `outstanding` broadcasters, each with one broadcast on its way.
const fanout = (size, outstanding, more = {}) => ({
  unit: 'frame', mode: 'io-fanout', flags: { size, sockets: 1000, 'in-flight': outstanding }, latency: true, ...more,
});
const joined = { variant: 'joined', goal: 0.8 };

export const cells = {
  'echo-32-50': echo(32, 50, { quick: {} }),
  'echo-512-1000': echo(512, 1000),
  'echo-32-50x8': echo(32, 50, { inFlight: 8, quick: {} }),
  'joined-echo': echo(32, 50, { inFlight: 8, ...joined }),
  connect: {
    unit: 'session', mode: 'io-connect', flags: { 'in-flight': 32 }, warmUp: 4, seconds: 3, goal: 0.75, latency: true, quick: {},
  },
  'fanout-64': fanout(64, 1, { goal: 0.9, quick: { sockets: 200 } }),
  'fanout-512': fanout(512, 1, { goal: 0.9 }),
  'joined-64': fanout(64, 4, { ...joined, quick: { sockets: 200 } }),
  'joined-512': fanout(512, 4, joined),
  polling: {
    unit: 'session', mode: 'io-polling', flags: { 'in-flight': 32 }, warmUp: 4, seconds: 3, nodejs: 4, latency: true, quick: {},
  },
  // Three heartbeats of 2 s.
  'pings-8000': {
    unit: 'ping', mode: 'io-pings', flags: { sockets: 8000 }, variant: 'pings', seconds: 6, warmUp: 2, goal: 1 / 1.3,
    rounds: 3, quick: { sockets: 500 }, pingInterval: 2000, quickPingInterval: 250,
  },
  'idle-8000': {
    unit: 'connection', mode: 'io-idle', flags: { sockets: 8000, size: 32 }, seconds: 1, memory: true, rounds: 3,
    goalBytes: 1024, quick: { sockets: 500 },
  },
};
