// Another number of nodes, and new nodes for old ones, while clients come, stay, speak and go: no request fails, and who
// has to move is told so, and is sent once to where it can stay.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Bundle } from './bundle.mjs';
import { Load } from './load.mjs';

const nodes = (count) => `[bundle]\nnodes = ${count}\n[node]\ndrain_window = "1s"\n`;
const succeeds = ({ code, stdout, stderr }) => assert.equal(code, 0, stdout + stderr);

scenario('2, then 6, then 3 nodes', { seconds: 180 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(2));
  const load = await Load.start(world, bundle, { residents: 30 });

  succeeds(await bundle.command('scale', '6'));
  await until(() => load.tags.size === 6, 30_000, 'each node has clients');
  await load.join(world, 60);
  assert.deepEqual(load.visits, [], 'more nodes: nobody is moved');
  const before = load.moves();
  for (const id of ['n4', 'n5', 'n6']) assert.ok(before.flat().includes(id), `somebody stays on ${id}`);

  succeeds(await bundle.command('scale', '3'));
  await load.back();
  await load.stop();
  load.assertWell();
  const gone = new Set(['n4', 'n5', 'n6']);
  load.moves().forEach((visited, i) => {
    const [home] = before[i];
    assert.equal(visited[0], home);
    assert.equal(visited.length, gone.has(home) ? 2 : 1, `${visited}: who is on a node that stays is not moved, others once`);
    assert.ok(!gone.has(visited.at(-1)), `${visited}`);
  });
});

scenario('a rolling restart', { seconds: 180 }, async (world) => {
  const bundle = await Bundle.start(world, nodes(4));
  const turn = () => [...bundle.stdout.matchAll(/ n\d: rolling restart, \d of 4$/gm)].length;
  const load = await Load.start(world, bundle, { residents: 60, turn });
  const before = load.moves();
  for (const id of ['n1', 'n2', 'n3', 'n4']) assert.ok(before.flat().includes(id), `somebody stays on ${id}`);

  succeeds(await bundle.command('restart'));
  await load.back();
  await load.stop();
  load.assertWell();
  assert.equal(turn(), 4);
  // Node by node: whoever n1 loses is not sent to n2, which is next.
  const next = (id) => `n${Number(id.slice(1)) + 1}`;
  for (const visited of load.moves()) {
    visited.slice(1).forEach((id, i) => assert.notEqual(id, next(visited[i]), `${visited}`));
    assert.ok(visited.length > 1 && visited.length <= 3, `${visited}`);
  }
  // Nor is anybody who comes in between.
  const within = load.passers.filter(({ began, visit }) => began > 0 && began === visit.turn);
  assert.ok(within.length > 20, `${within.length} came while it went on`);
  for (const { began, visit } of within) assert.notEqual(load.nodeOf(visit), `n${began + 1}`);
});
