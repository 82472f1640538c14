// The guard over each child of the bundle, alone.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { until, within } from '../lib/deadline.mjs';
import { binary } from '../lib/limpet.mjs';

// `limpet guard 3 COMMAND...` with us at the other end of the lifeline.
const guard = (...command) => guardBy(binary, 'guard', '3', ...command);

function guardBy(program, ...args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
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

const says = (word) => `trap \\"echo ${word}; exit\\" TERM; echo up; while :; do sleep 0.05; done`;

test('what is left of the group and who has left it hear SIGTERM once the program has ended', async () => {
  const it = guard('sh', '-c', `trap "exit 4" USR1; sh -c "${says('member')}" & setsid sh -c "${says('stranger')}" &
    while :; do sleep 0.05; done`);
  await until(() => it.out.match(/up/g)?.length === 2, 5000, 'both are there');
  it.child.kill('SIGUSR1');
  assert.deepEqual(await it.ended, { code: 4, signal: null });
  assert.match(it.out, /^member$/m);
  assert.match(it.out, /^stranger$/m);
});

// Process numbers are given in order, and a namespace has its own.
const namespace = ['unshare', '-Urpf', '--mount-proc'];
const counts = spawnSync(namespace[0], [...namespace.slice(1), 'sh', '-c', 'echo 20 > /proc/sys/kernel/ns_last_pid']).status === 0;

test('a program that has ended leaves its number to others, who hear nothing', { skip: !counts }, async () => {
  const script = `
    last=/proc/sys/kernel/ns_last_pid; exec 2>/dev/null
    echo 100 > $last
    ${binary} guard 3 sh -c 'trap "" TERM; setsid sleep 1000 & exit 4' &
    guard=$!
    until kill -0 103; do :; done
    while kill -0 102; do :; done
    other=0
    while [ $other != 102 ]; do
      [ $other = 0 ] || kill -9 $other
      echo 101 > $last
      setsid sleep 1000 &
      other=$!
    done
    wait $guard
    echo ended $?
    grep -q "State:.S" /proc/102/status && echo alive`;
  const it = guardBy(...namespace, 'sh', '-c', script);
  await it.ended;
  assert.equal(it.out, 'ended 4\nalive\n');
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
