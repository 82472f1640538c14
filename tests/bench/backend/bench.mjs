// Measures limpet node and other Socket.IO servers side by side; started by tests/bench/backend/run, whose --help tells
// the options.
import { Turns, options, present } from '../turns.mjs';
import { cells } from './cells.mjs';
import { report } from './report.mjs';
import { names, peers, startServer, versionOf } from './servers.mjs';

const settings = options('tests/bench/backend/run', cells, names);
const versions = present(names, settings, versionOf);
const turns = new Turns({
  settings, versions, cells, peers, out: 'backend',
  start: (name, cell, dir) => startServer(name, cell, dir, settings),
});
const results = await turns.run();
const failed = report(results, { readme: settings.complete });
console.log(`\n${results.seconds} s; all readings: build/bench/backend/results.json`);
process.exit(failed ? 1 : 0);
