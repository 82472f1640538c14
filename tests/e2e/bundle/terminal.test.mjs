// What the end of a terminal, and its keys, mean to a bundle that was started in it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { binary } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { freePort } from './bundle.mjs';
import { Terminal, quote } from './terminal.mjs';

// `limpet up` as a command of a terminal's bash, with its log in a file; `run`: what it does with that command.
async function started(world, before, after, run = '.') {
  const terminal = await Terminal.start(world, { shell: 'bash --norc' });
  const file = path.join(terminal.dir, 'limpet.toml');
  const toml = `[[listener]]\naddress = "127.0.0.1:${await freePort()}"\n[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n`;
  writeFileSync(file, `${toml}[admin]\naddress = "unix:${terminal.dir}/admin.sock"\n`);
  const log = path.join(terminal.dir, 'log');
  const command = `log=${quote(log)}; ${before}${quote(binary)} up -c ${quote(file)} > "$log" 2>&1 ${after}`;
  writeFileSync(path.join(terminal.dir, 'start'), `${command}\n`);
  terminal.type(`${run} ${quote(path.join(terminal.dir, 'start'))}`, 'Enter');
  const says = (pattern, ms = 20_000) => until(() => readFileSync(log, 'utf8').match(pattern), ms, `${pattern}`);
  await says(/ready: everything is healthy/);
  const pid = Number(terminal.processes().find((line) => / up -c /.test(line)).split(' ')[0]);
  world.own({
    log: () => readFileSync(log, 'utf8'),
    close: () => { if (terminal.processes().some((line) => line.startsWith(`${pid} `))) process.kill(pid, 'SIGKILL'); },
  });
  return { terminal, file, says, pid, gone: (ms = 20_000) => until(() => !terminal.processes().length, ms, 'all of it has ended') };
}

for (const before of ['', 'nohup ']) {
  scenario(`${before}limpet up &, disown: it outlives its terminal, and SIGHUP is a reload then`, { seconds: 90 }, async (world) => {
    const { terminal, file, says, pid, gone } = await started(world, before, '& disown');
    terminal.close();
    await until(() => { try { terminal.screen(); } catch { return true; } return false; }, 5000, 'the terminal has gone');
    writeFileSync(file, readFileSync(file, 'utf8').replace('nodes = 2', 'nodes = 1'));
    process.kill(pid, 'SIGHUP');
    await says(/scale: 1 nodes, from 2$[^]*scale: done$/m);
    process.kill(pid, 'SIGHUP');
    await says(/^\S+ info SIGHUP: nothing has changed/m);
    process.kill(pid, 'SIGTERM');
    await gone();
  });
}

for (const [name, after] of [['in the foreground', ''], ['as a job of its shell', '&']]) {
  scenario(`limpet up ${name}: it ends with its terminal, in order`, { seconds: 90 }, async (world) => {
    const { terminal, says, gone } = await started(world, '', after);
    terminal.close();
    await gone();
    const [text] = await says(/shutting down[^]*exit$/m);
    assert.doesNotMatch(text, /second signal/);
  });
}

scenario('a hangup that it hears of twice is one', { seconds: 60 }, async (world) => {
  const twice = `& trap "kill -HUP $!; until grep -q 'shutting down' '$log'; do :; done; kill -HUP $!" HUP; wait; wait`;
  const { terminal, says, gone } = await started(world, '', twice, 'exec bash');
  terminal.close();
  await gone();
  const [text] = await says(/shutting down[^]*exit$/m);
  assert.doesNotMatch(text, /second signal/);
});

scenario('SIGHUP of a shell that has its terminal is a reload', { seconds: 60 }, async (world) => {
  const { terminal, says, gone, pid } = await started(world, '', '&');
  terminal.type('kill -HUP %1', 'Enter');
  await says(/^\S+ info SIGHUP: nothing has changed/m);
  process.kill(pid, 'SIGTERM');
  await gone();
});

scenario('Ctrl-\\ ends it as Ctrl-C does, and leaves the terminal as it was', { seconds: 60 }, async (world) => {
  const terminal = await Terminal.start(world);
  terminal.type(`cd ${terminal.dir}; stty -a > before`, 'Enter');
  await terminal.up();
  await terminal.down('C-\\');
  assert.match(terminal.screen(), /ended: 0/);
  assert.deepEqual(readdirSync(terminal.runtime), []);
  terminal.type('stty -a > after', 'Enter');
  terminal.type('cmp before after && echo sa""me', 'Enter');
  await until(() => /^same$/m.test(terminal.screen()), 5000, 'the terminal is as it was');
});

scenario('Ctrl-Z gives the terminal back as it was; fg goes on where it was', { seconds: 60 }, async (world) => {
  const terminal = await Terminal.start(world);
  terminal.type(`cd ${terminal.dir}; stty -a > before`, 'Enter');
  await terminal.up();
  await until(() => /^proxy +ready/m.test(terminal.screen()), 5000, 'there is a table');
  terminal.type('C-z');
  await until(() => /ended: \d+/.test(terminal.screen()), 5000, 'the shell has the terminal');
  assert.doesNotMatch(terminal.screen(), /^proxy +ready/m);
  terminal.type('stty -a > after; cmp before after && echo && echo sa""me', 'Enter');
  await until(() => /^same$/m.test(terminal.screen()), 5000, 'the terminal is as it was');
  terminal.type('clear; fg; echo "over: $?"', 'Enter');
  await until(() => /^proxy +ready/m.test(terminal.screen()), 5000, 'the table is back');
  terminal.type('C-c');
  await until(() => /^over: 0$/m.test(terminal.screen()), 40_000, 'it has ended');
  terminal.type('stty -a > last; cmp before last && echo && echo st""ill', 'Enter');
  await until(() => /^still$/m.test(terminal.screen()), 5000, 'the terminal is as it was at the end, too');
});
