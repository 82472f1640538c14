// Measures nodes of a cluster side by side; started by tests/bench/cluster/run, whose --help tells the options.
import { Turns, options, present } from '../turns.mjs';
import { cells } from './cells.mjs';
import { report } from './report.mjs';
import { names, peers, startServer, versionOf } from './servers.mjs';

const settings = options('tests/bench/cluster/run', cells, names);
const versions = present(names, settings, versionOf);
const turns = new Turns({ settings, versions, cells, peers, out: 'cluster', start: startServer });
const results = await turns.run();
const failed = report(results, { readme: settings.complete });
console.log(`\n${results.seconds} s; all readings: build/bench/cluster/results.json`);
process.exit(failed ? 1 : 0);
