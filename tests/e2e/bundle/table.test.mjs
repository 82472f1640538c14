// The live table of `limpet up` on a terminal.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';
import { Terminal } from './terminal.mjs';

scenario('a terminal has a table that stays under the lines, and is as it was at the end', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  terminal.type(`cd ${terminal.dir}; stty -a > before`, 'Enter');
  await terminal.up();
  await until(() => terminal.rows().every((row) => !/^(redis|n\d|proxy) /.test(row) || / ready /.test(row))
    && /^proxy/.test(terminal.rows().at(-1)), 5000, 'all are ready');
  const crowd = await Crowd.join(world, terminal, 6, { transports: ['websocket'] });
  await until(() => /^proxy +ready +6 /m.test(terminal.screen()), 5000, 'six connections are counted');
  await until(() => terminal.screen().match(/^n\d+ +ready +\d+ +\d+ +0 +\d+s {2}GET \/health: 200/gm)?.length >= 2,
    5000, 'so are the messages of nodes');
  // Messages, as long as they are looked for.
  await until(async () => {
    await crowd.each((client) => client.call('echo', 'x'));
    return /^n\d+ +ready +\d+ +[1-9]\d* /m.test(terminal.screen());
  }, 10_000, 'messages are counted');

  const before = process.env.E2E_SCREENSHOTS && terminal.screen('-e');
  if (before) process.stdout.write(`${before}\n`);
  crowd.clients.forEach((client) => client.socket.close());
  await terminal.down();
  assert.match(terminal.screen(), /ended: 0/);
  assert.equal(terminal.all().match(/^name +state/gm), null, 'no table is left');
  assert.match(terminal.all(), /shutting down/);
  terminal.type('stty -a > after', 'Enter');
  terminal.type('cmp before after && echo && echo sa""me', 'Enter');  // the prompt may be late, and on that line
  await until(() => /^same$/m.test(terminal.screen()), 5000, 'the terminal is as it was');
});

scenario('a terminal that is stopped stops nobody, at the end neither', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  await terminal.up();
  await until(() => /^proxy +ready/m.test(terminal.screen()), 5000, 'a table');
  const processes = () => terminal.processes();
  assert.ok(processes().length >= 5, processes().join('\n'));
  terminal.type('C-s');
  const crowd = await Crowd.join(world, terminal, 4, { transports: ['websocket'] });
  await crowd.each((client) => client.call('echo', 'x'));
  crowd.clients.forEach((client) => client.socket.close());
  const up = Number(processes().find((line) => / up $/.test(line)).split(' ')[0]);
  process.kill(up, 'SIGTERM');
  await until(() => !processes().length, 40_000, 'all of it has ended');
  assert.doesNotMatch(terminal.screen(), /ended: \d/, 'the terminal was stopped');
  terminal.type('C-q');
  await until(() => /ended: 0/.test(terminal.screen()), 5000, 'it has ended well');
});

scenario('forty columns are enough, and a terminal may change its size', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world, { width: 120 });
  await terminal.up();
  for (const width of [40, 77, 41, 200]) {
    terminal.tmux('resize-window', '-x', String(width), '-y', '24');
    await until(() => {
      const lines = terminal.screen().split('\n');
      return lines.filter((line) => /^name +state/.test(line)).length === 1 && /^proxy +ready/.test(lines.at(-1))
        && lines.filter((line) => /^redis +(ready)/.test(line)).length === 1
        && (width < 70) === !/health$/m.test(lines.find((line) => /^name/.test(line)));
    }, 5000, `one whole table at ${width} columns`);
  }
  await terminal.down();
});

scenario('what is no terminal, or a dumb one, has lines alone', { seconds: 90 }, async (world) => {
  const dumb = await Terminal.start(world);
  dumb.type('export TERM=dumb', 'Enter');
  await dumb.up();
  await dumb.down();
  assert.doesNotMatch(dumb.all(), /^name +state/m);
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n');
  assert.ok(!bundle.stdout.includes('\x1b['));
});

scenario('NO_COLOR: a table without colours', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  await terminal.up();
  await until(() => terminal.screen('-e').includes('\x1b[32mready'), 5000, 'colours');
  await terminal.down();
  const plain = await Terminal.start(world, { env: { NO_COLOR: '1' } });
  await plain.up();
  await until(() => /^proxy +ready/m.test(plain.screen()), 5000, 'a table');
  assert.ok(!plain.screen('-e').includes('\x1b[32m'));
  await plain.down();
});
