// Which threads there are, on which CPUs, and which of them gets a connection.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { Child } from '../lib/child.mjs';
import { cpusOf, field, usable } from '../lib/cpus.mjs';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { answering } from './requests.mjs';

// The CPUs of each thread of a name, in the order in which they were started.
function threads(limpet, name) {
  const tasks = `/proc/${limpet.pid}/task`;
  return readdirSync(tasks).map(Number).sort((a, b) => a - b)
    .filter((id) => readFileSync(`${tasks}/${id}/comm`, 'utf8').trim() === name)
    .map((id) => ({ id, cpus: cpusOf(field(`${tasks}/${id}/status`, 'Cpus_allowed_list')) }));
}

// A thread has its name once it is bound, which may be after the listeners are open.
async function placed(limpet, count, cpus) {
  const workers = () => threads(limpet, 'limpet-worker');
  await until(() => workers().length === count, 5000, `there are ${count} workers`);
  assert.deepEqual(workers().map((thread) => thread.cpus).sort((a, b) => a[0] - b[0]), cpus);
}

async function limpetWith(world, proxy, options) {
  const origin = await world.origin({ script: answering() });
  return world.limpet(`[proxy]\ndrain_timeout = "1s"\n${proxy}\n[pool.web]\nservers = ["a=${origin.address}"]`, options);
}

scenario('without cpu_affinity there is a worker a usable CPU, and each may run on all of them', async (world) => {
  const limpet = await limpetWith(world, '');
  await placed(limpet, usable.length, usable.map(() => usable));
});

scenario('cpu_affinity = "auto" binds each worker to a CPU', async (world) => {
  const limpet = await limpetWith(world, 'cpu_affinity = "auto"');
  await placed(limpet, usable.length, usable.map((cpu) => [cpu]));
  assert.equal((await request(limpet.address, '/')).body, 'ok');
});

scenario('a list of CPUs is as many workers, on these', async (world) => {
  const last = usable.at(-1);
  const limpet = await limpetWith(world, `cpu_affinity = ["${last}-${last}"]`);
  await placed(limpet, 1, [[last]]);
});

scenario('a CPU that limpet may not use: an error at the start, with its place, and a warning of `limpet check`', async (world) => {
  const limpet = await limpetWith(world, 'cpu_affinity = [0, 1023]', { wait: false, expect: { code: 1, signal: null } });
  assert.deepEqual(await limpet.ended, { code: 1, signal: null });
  const problem = /limpet\.toml:3:16: proxy\.cpu_affinity: this process may not use CPU 1023; it may use/;
  assert.match(limpet.stderr, problem);
  const checked = await limpet.command('check');
  assert.deepEqual([checked.code, checked.stdout], [0, `${limpet.file}: ok\n`]);
  assert.match(checked.stderr, problem);
  assert.match(checked.stderr, / \(warning\)\n$/);
});

scenario('accept_balance = "cpu" gives a connection to the worker of the CPU that it comes in on', async (world) => {
  const limpet = await limpetWith(world, 'cpu_affinity = "auto"\naccept_balance = "cpu"');
  await placed(limpet, usable.length, usable.map((cpu) => [cpu]));
  const { host, port } = limpet.address;
  const worked = () => threads(limpet, 'limpet-worker')
    .map(({ id, cpus }) => ({ cpu: cpus[0], ns: Number(readFileSync(`/proc/${limpet.pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) }));
  for (const cpu of usable.slice(0, 4)) {
    const before = worked();
    // On loopback a connection comes in on the CPU of the client that makes it.
    const script = `for i in $(seq 60); do exec 3<>/dev/tcp/${host}/${port};`
      + ` printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&3; read -r -u 3; exec 3>&-; done`;
    const client = new Child('client', 'taskset', ['-c', String(cpu), 'bash', '-c', script]);
    assert.deepEqual(await client.ended, { code: 0, signal: null }, client.stderr);
    const busy = worked().map((now, i) => ({ cpu: now.cpu, ns: now.ns - before[i].ns })).sort((a, b) => b.ns - a.ns);
    assert.equal(busy[0].cpu, cpu, JSON.stringify(busy));
    if (busy.length > 1) assert.ok(busy[0].ns > 5 * busy[1].ns, JSON.stringify(busy));
  }
});

scenario('accept_balance = "cpu" without a CPU for each worker is an error at the start', async (world) => {
  const limpet = await limpetWith(world, `workers = ${usable.length + 1}\ncpu_affinity = "auto"\naccept_balance = "cpu"`,
    { wait: false, expect: { code: 1, signal: null } });
  assert.deepEqual(await limpet.ended, { code: 1, signal: null });
  assert.match(limpet.stderr, /proxy\.accept_balance: "cpu" needs a CPU a worker/);
});

scenario('idle workers cost nothing: probes come and go, and no other thread wakes up', async (world) => {
  const origin = await world.origin();
  const limpet = await world.limpet(
    `[proxy]\nworkers = 4\ndrain_timeout = "1s"\n[pool.web]\nservers = ["a=${origin.address}"]\nhealth = { interval = "500ms" }`,
  );
  const tasks = `/proc/${limpet.pid}/task`;
  const probes = async (count) => {
    const from = origin.probes;
    await until(() => origin.probes >= from + count, 10_000, `${count} probes`);
  };
  await probes(3);  // what the start left behind is over
  const idle = readdirSync(tasks).filter((id) => readFileSync(`${tasks}/${id}/comm`, 'utf8').startsWith('limpet-'));
  const wakeUps = () => idle.map((id) => Number(field(`${tasks}/${id}/status`, 'voluntary_ctxt_switches')));
  assert.ok(idle.length >= 4, 'the workers are among them');
  const before = wakeUps();
  await probes(8);
  assert.deepEqual(wakeUps(), before);
});
