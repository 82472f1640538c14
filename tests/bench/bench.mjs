// Measures limpet and other proxies side by side; started by tests/bench/run, whose --help tells the options.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../e2e/lib/deadline.mjs';
import { cells } from './cells.mjs';
import { names, peers, startProxy, versionOf } from './peers.mjs';
import { Process, loadTool } from './processes.mjs';
import { report } from './report.mjs';
import { Turns, options, present } from './turns.mjs';

// The servers behind the proxies.
async function serve(dir) {
  const file = path.join(dir, 'servers');
  const listen = [1, 2, 3].flatMap((number) => ['--listen', `127.0.2.${number}:0`]);
  const server = new Process('serve', 'load', loadTool, ['serve', ...listen, '--ports-file', file]);
  const read = () => server.end ?? readFileSync(file, 'utf8').trim().split('\n');
  server.addresses = await until(read, 10_000, 'the servers listen');
  if (server.end) throw new Error(server.log());
  return server;
}

const settings = options('tests/bench/run', cells, names);
const versions = present(names, settings, versionOf);
let server;
const turns = new Turns({
  settings, versions, cells, peers, out: '',
  start: (name, cell, dir) => startProxy(name, server.addresses, dir),
});
server = await serve(turns.dir);
const results = await turns.run();
await server.finish();
const failed = report(results, { readme: settings.complete });
console.log(`\n${results.seconds} s; all readings: build/bench/results.json`);
process.exit(failed ? 1 : 0);
