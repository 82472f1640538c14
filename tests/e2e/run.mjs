// Runs the end-to-end tests, and those of ../conformance and ../cluster, with Node.js' own runner.
//
//   node run.mjs [--quick] [--threads] [WORD...]
//
// --quick leaves out *.slow.test.mjs, --threads what tests the node, which has only one, or the bundle, examples/
// included, whose proxy is tested elsewhere; words choose the files whose path contains one of them. The program under
// test is $LIMPET (build/release/proxy/limpet); LIMPET_SLOW=1 gives sanitizer builds five times the time.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const quick = process.argv.includes('--quick');
const ofNode = /^(\.\.\/conformance|\.\.\/cluster|bundle|examples|node|websocket)\/|^browser\/(chat|cluster_page)/;
const threads = process.argv.includes('--threads');
const unknown = process.argv.slice(2).filter((word) => word.startsWith('--') && !['--quick', '--threads'].includes(word));
if (unknown.length) {
  console.error(`${unknown[0]} is not known; usage: node run.mjs [--quick] [--threads] [WORD...]`);
  process.exit(2);
}

function* testsIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* testsIn(name);
    else if (entry.name.endsWith('.test.mjs')) yield name;
  }
}

const files = ['.', '../conformance', '../cluster'].flatMap((folder) => [...testsIn(path.join(here, folder))]).sort()
  .filter((file) => !quick || !file.endsWith('.slow.test.mjs'))
  .filter((file) => !threads || !ofNode.test(path.relative(here, file)))
  .filter((file) => !words.length || words.some((word) => path.relative(here, file).includes(word)));
if (!files.length) {
  console.error('no test file is called like that');
  process.exit(1);
}

// Most of the time is waiting, so that two files share the machine; deadlines allow for it (lib/deadline.mjs).
const runner = spawn(process.execPath, ['--test', '--test-concurrency=2', '--test-reporter=spec', ...files], { cwd: here, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
runner.on('close', (code, signal) => process.exit(signal ? 1 : code));
