// What is measured: the cells, their load, and what limpet has to reach in each.
//
// `goal` is a share of the best peer's CPU; `floor` asks in addition for at most that share of the relay's.
// `rounds`: at most so many, where one says nearly all. `quick` cells are those of a quick run, with these flags changed.

const echo = (size, sockets, more = {}) =>
  ({ unit: 'message', mode: 'echo', flags: { size, sockets, 'in-flight': more.inFlight ?? 1 }, ...more });

export const cells = {
  'echo-32-50': echo(32, 50, { goal: 1, floor: 1.05 }),
  'echo-512-50': echo(512, 50, { goal: 1, floor: 1.05, quick: {} }),
  'echo-16k-50': echo(16 * 1024, 50, { goal: 0.5, quick: {} }),
  'echo-1m-8': echo(1024 * 1024, 8, { goal: 0.6 }),
  'echo-512-1000': echo(512, 1000, { goal: 0.95 }),
  'echo-512-5000': echo(512, 5000, { goal: 0.9 }),
  'echo-512-8000': echo(512, 8000, { goal: 0.9 }),
  'echo-512-50x8': echo(512, 50, { goal: 0.9, inFlight: 8 }),
  'paced-20000': {
    unit: 'message', mode: 'paced', flags: { size: 512, sockets: 1000, rate: 20000 }, goal: 0.9, latency: true,
  },
  // Long enough for a p99.9 of more than a handful of messages.
  'paced-2000': {
    unit: 'message', mode: 'paced', flags: { size: 512, sockets: 1000, rate: 2000 }, seconds: 5, goal: 0.9,
    latency: true, quick: {},
  },
  'push-1000': {
    unit: 'message', mode: 'push', flags: { size: 64, sockets: 1000, rate: 20 }, latency: 'shown', quick: {},
  },
  upgrade: { unit: 'upgrade', mode: 'upgrade', flags: { sockets: 32, 'in-flight': 32 }, goal: 1.05, quick: {} },
  'storm-5000': { unit: 'upgrade', mode: 'storm', flags: { sockets: 5000 }, goal: 0.9 },
  get: { unit: 'request', mode: 'get', flags: { sockets: 50 }, goal: 0.8, quick: {} },
  'get-close': { unit: 'request', mode: 'get-close', flags: { sockets: 50, 'in-flight': 50 } },
  'download-100m': { unit: 'MiB', mode: 'download', flags: { sockets: 1, size: 100 * 1024 * 1024 } },
  'upload-100m': { unit: 'MiB', mode: 'upload', flags: { sockets: 1, size: 100 * 1024 * 1024 } },
  'idle-8000': {
    unit: 'tunnel', mode: 'idle', flags: { sockets: 8000 }, seconds: 1, memory: true, rounds: 3, goalKiB: 1,
    quick: { sockets: 500 },
  },
  'keepalive-8000': {
    unit: 'connection', mode: 'keepalive-idle', flags: { sockets: 8000 }, seconds: 1, memory: true, rounds: 3,
  },
};
