// An access log that nobody takes: requests go on, the program log tells it while it lasts, and the gap is told where it is.
import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Fifo } from './fifo.mjs';
import { Front } from './front.mjs';
import { talk } from './talk.mjs';

// A hundred requests with long lines.
const many = `GET /${'t'.repeat(1500)} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${'u'.repeat(500)}\r\n\r\n`.repeat(100);

const fact = 'a pipe whose reader has stopped is told in the program log while it stands; once it moves, so is the gap';
scenario(fact, { seconds: 60 }, async (world) => {
  const pipe = await Fifo.create(world);
  const reader = openSync(pipe.path, constants.O_RDONLY | constants.O_NONBLOCK);
  world.own({ close: () => closeSync(reader) });
  const front = await Front.start(world, { more: `[log]\naccess = "${pipe.path}"\n[proxy]\nworkers = 1\ndrain_timeout = "1s"\n` });
  const told = () => front.proxy.stderr.match(/ warn(?:ing)? .*fifo.* takes no more; (\d+) lines were dropped so far/);
  const ask = async () => {
    const { answers } = await talk(front.address, many, { count: 100, ms: 10_000 });
    assert.ok(answers.every(({ status }) => status === 200));
  };
  const [, dropped] = await until(async () => {
    await ask();
    return told();
  }, 20_000, 'it is told');
  assert.ok(Number(dropped) > 0);
  assert.equal(front.proxy.stderr.match(/takes no more/g).length, 1, 'once');

  // What comes out of the pipe now: whole lines, then how many are missing.
  let text = '';
  const room = Buffer.alloc(1 << 20);
  const read = () => {
    try {
      text += room.toString('latin1', 0, readSync(reader, room));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  };
  await until(() => {
    read();
    return / kind=dropped lines=\d+/.test(text);
  }, 5000, 'the gap');
  const [, lines] = text.match(/ kind=dropped lines=(\d+)/);
  assert.ok(Number(lines) >= Number(dropped));
  await ask();
  await until(() => {
    read();
    return text.slice(text.indexOf('kind=dropped')).includes(' kind=request ');
  }, 5000, 'lines after the gap');
});
