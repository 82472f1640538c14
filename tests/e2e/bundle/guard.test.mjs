// The guard over each child of the bundle, alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { until, within } from '../lib/deadline.mjs';
import { binary } from '../lib/limpet.mjs';

// `limpet guard 3 COMMAND...` with us at the other end of the lifeline.
function guard(...command) {
  const child = spawn(binary, ['guard', '3', ...command], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const lifeline = child.stdio[3];
  const it = { child, lifeline, said: '', out: '', err: '' };
  lifeline.setEncoding('latin1').on('data', (text) => { it.said += text; }).on('error', () => {});
  child.stdout.setEncoding('latin1').on('data', (text) => { it.out += text; });
  child.stderr.setEncoding('latin1').on('data', (text) => { it.err += text; });
  it.ended = within(new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))), 15_000, 'the guard ends');
  it.says = (text) => until(() => it.out.includes(text), 5000, text);
  it.program = () => until(() => /^\d+\n$/.test(it.said) && Number(it.said), 5000, 'the program\'s pid');
  return it;
}

const alive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('passes on how its program ended', async () => {
  assert.deepEqual(await guard('sh', '-c', 'exit 7').ended, { code: 7, signal: null });
  assert.deepEqual(await guard('true').ended, { code: 0, signal: null });
  assert.deepEqual(await guard('sh', '-c', 'kill -SEGV $$').ended, { code: null, signal: 'SIGSEGV' });
  assert.deepEqual(await guard('sh', '-c', 'kill -KILL $$').ended, { code: null, signal: 'SIGKILL' });
});

test('says what cannot be started', async () => {
  const it = guard('/no/such/program');
  assert.deepEqual(await it.ended, { code: 127, signal: null });
  assert.match(it.err, /cannot start \/no\/such\/program: No such file or directory/);
});

test('hands on signals: those that end to all of the group, others to the program', async () => {
  const it = guard('sh', '-c', 'trap "echo usr1" USR1; trap "echo term; exit 5" TERM; echo up; while :; do sleep 0.05; done');
  await it.says('up');
  it.child.kill('SIGUSR1');
  await it.says('usr1');
  it.child.kill('SIGTERM');
  assert.deepEqual(await it.ended, { code: 5, signal: null });
  assert.match(it.out, /term/);
});

test('a program that is stopped hears SIGTERM nevertheless', async () => {
  const it = guard('sh', '-c', 'trap "exit 6" TERM; echo up; while :; do sleep 0.05; done');
  await it.says('up');
  process.kill(await it.program(), 'SIGSTOP');
  it.child.kill('SIGTERM');
  assert.deepEqual(await it.ended, { code: 6, signal: null });
});

test('ends all when the lifeline closes: first by SIGTERM, in the end by force', async () => {
  const it = guard('sh', '-c', 'trap "echo term" TERM; echo up; while :; do sleep 0.05; done');
  await it.says('up');
  const program = await it.program();
  it.lifeline.destroy();
  assert.deepEqual(await it.ended, { code: null, signal: 'SIGKILL' });
  assert.match(it.out, /term/);
  assert.ok(!alive(program));
});

test('a byte on the lifeline ends all at once', async () => {
  const it = guard('sh', '-c', 'trap "echo term" TERM; setsid sleep 1000 & echo $!; echo up; while :; do sleep 0.05; done');
  await it.says('up');
  it.lifeline.write('K');
  assert.deepEqual(await it.ended, { code: null, signal: 'SIGKILL' });
  assert.doesNotMatch(it.out, /term/);
  assert.ok(!alive(Number(it.out.split('\n')[0])));
});

test('the program dies with its guard', async () => {
  const it = guard('sh', '-c', 'trap "" TERM HUP; echo up; while :; do sleep 0.05; done');
  await it.says('up');
  const program = await it.program();
  it.child.kill('SIGKILL');
  await until(() => !alive(program), 5000, 'the program is gone');
});

test('signals that are ignored here are not for its program', async () => {
  const it = guard('sh', '-c', 'grep -E "^Sig(Ign|Blk)" /proc/self/status');
  await it.ended;
  assert.match(it.out, /SigBlk:\t0{16}\nSigIgn:\t0{16}\n/);
});

test('is for nobody else', async () => {
  for (const args of [[], ['3'], ['x', 'true'], ['2', 'true'], ['99', 'true']]) {
    const child = spawn(binary, ['guard', ...args], { stdio: 'ignore' });
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 2, args.join(' '));
  }
});
