// The manifests of examples/kubernetes: valid by Kubernetes' own schemas, and with the figures that its README names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { tagOf } from '../../../examples/node-socketio/sid.js';
import { until } from '../lib/deadline.mjs';
import { Limpet, binary, request } from '../lib/limpet.mjs';
import { LimpetNode } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('../../../examples/kubernetes', import.meta.url));
const textOf = (name) => readFileSync(path.join(folder, name), 'utf8');

const manifests = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml') && name !== 'prometheus-adapter.yaml')
  .flatMap((file) => parseAllDocuments(textOf(file), { merge: false }).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [], file);
    return { file, ...document.toJS() };
  }));
const find = (kind, name) => {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0];
};
const pod = (name) => find('Deployment', name).spec.template.spec;
const container = (of, name = of) => pod(of).containers.find((each) => each.name === name);

// The Debian package of a file. /lib is a link to /usr/lib, and dpkg knows either name.
async function packageOf(file) {
  const names = [file, file.replace(/^\/usr(?=\/lib)/, ''), file.replace(/^(?=\/lib)/, '/usr')];
  for (const name of names) {
    const found = await run('dpkg', ['-S', name]).catch(() => undefined);
    if (found) return found.stdout.match(/^(\S+): /)[1];
  }
  throw new Error(`${file} is of no package`);
}

// Throws what the schema of that kind says; it lets unknown keys pass.
function check({ file, ...manifest }) {
  const Kind = require(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`)[manifest.kind];
  new Kind(manifest).validate();
}

for (const manifest of manifests) {
  test(`${manifest.file}: ${manifest.kind} ${manifest.metadata.name} is valid`, () => check(manifest));
}

function* keysOf(value, at = []) {
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield [...at, key];
    if (typeof inner === 'object') yield* keysOf(inner, [...at, key]);
  }
}

// A known key has a type, and a list of a list is nowhere one: a key that takes it is one that nobody knows.
function unknownKeys(manifest) {
  return [...keysOf(manifest)].filter((keys) => !['file', 'apiVersion', 'kind'].includes(keys[0])).filter((keys) => {
    const changed = structuredClone(manifest);
    keys.slice(0, -1).reduce((value, key) => value[key], changed)[keys.at(-1)] = [[]];
    try {
      check(changed);
      return true;
    } catch {
      return false;
    }
  }).map((keys) => keys.join('.'));
}

for (const manifest of manifests) {
  test(`${manifest.file}: ${manifest.kind} ${manifest.metadata.name} has no key that nobody knows`,
    () => assert.deepEqual(unknownKeys(manifest), []));
}

test('what is not valid is found', () => {
  assert.deepEqual(unknownKeys({ ...find('Service', 'limpet'), metadata: { name: 'limpet', lables: {} } }), ['metadata.lables']);
  const wrong = structuredClone(find('HorizontalPodAutoscaler', 'websocket-server-hpa'));
  wrong.spec.maxReplicas = '20';
  assert.throws(() => check(wrong), /maxReplicas must be integer/);
});

test('the autoscaler: 3 to 20 pods, 70 % CPU, 40000 WebSockets', () => {
  const { apiVersion, spec } = find('HorizontalPodAutoscaler', 'websocket-server-hpa');
  assert.equal(apiVersion, 'autoscaling/v2');
  assert.deepEqual(spec.scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: 'websocket-server' });
  assert.deepEqual([spec.minReplicas, spec.maxReplicas], [3, 20]);
  assert.deepEqual(spec.metrics, [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
    { type: 'Pods', pods: { metric: { name: 'websocket_connections' }, target: { type: 'AverageValue', averageValue: '40000' } } },
  ]);
});

test('what the autoscaler needs: its own number of pods, and requests of CPU for every container', () => {
  assert.equal(find('Deployment', 'websocket-server').spec.replicas, undefined);
  for (const each of pod('websocket-server').containers) assert.ok(each.resources.requests.cpu, each.name);
});

test('the rule of the adapter names that metric, of pods', () => {
  const { rules } = parse(textOf('prometheus-adapter.yaml'));
  const [rule] = rules.custom;
  assert.equal(rules.custom.length, 1);
  assert.equal(rule.name.as, 'websocket_connections');
  assert.match('websocket_connections', new RegExp(rule.name.matches));
  assert.match(rule.seriesQuery, /^websocket_connections\{/);
  assert.deepEqual(rule.resources.overrides, { namespace: { resource: 'namespace' }, pod: { resource: 'pod' } });
  for (const part of ['<<.Series>>', '<<.LabelMatchers>>', '<<.GroupBy>>']) assert.ok(rule.metricsQuery.includes(part), part);
});

test('Prometheus is sent to the port of the metrics', () => {
  const { annotations } = find('Deployment', 'websocket-server').spec.template.metadata;
  const port = container('websocket-server', 'metrics').ports[0].containerPort;
  assert.deepEqual(annotations, {
    'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port), 'prometheus.io/path': '/metrics',
  });
  assert.match(find('ConfigMap', 'websocket-server-metrics').data['metrics.toml'], new RegExp(`address = "0\\.0\\.0\\.0:${port}"`));
});

test('selectors, budgets and Services are those of the pods', () => {
  for (const name of ['websocket-server', 'limpet']) {
    const { spec } = find('Deployment', name);
    assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
    assert.deepEqual(find('PodDisruptionBudget', `${name}-pdb`).spec, { maxUnavailable: 1, selector: { matchLabels: { app: name } } });
    assert.deepEqual(find('Service', name).spec.selector, { app: name });
  }
  const { clusterIP, publishNotReadyAddresses: all } = find('Service', 'websocket-server').spec;
  assert.deepEqual([clusterIP, all], ['None', true]);
  assert.equal(find('Service', 'websocket-server-public').spec.sessionAffinity, 'ClientIP');
});

test('readiness asks /health for 200, liveness for any answer', () => {
  const { readinessProbe, livenessProbe } = container('websocket-server');
  assert.deepEqual(readinessProbe.httpGet, { path: '/health', port: 'http' });
  const { command } = livenessProbe.exec;
  assert.equal(command[0], 'curl');
  assert.equal(command.at(-1), 'http://127.0.0.1:3000/health');
  assert.ok(!command.includes('--fail'));
  assert.match(textOf('Dockerfile'), /apt-get install [^&]* curl /);
});

test('a pod has the time that its drain takes', () => {
  const seconds = (each) => Number(each.lifecycle.preStop.exec.command[1]);
  const node = container('websocket-server');
  const window = Number(node.args.find((word) => word.startsWith('--drain-window=')).match(/=(\d+)s$/)[1]);
  assert.ok(seconds(node) > 0);
  assert.ok(seconds(node) + window < pod('websocket-server').terminationGracePeriodSeconds);
  const grace = pod('websocket-server').terminationGracePeriodSeconds;
  const metrics = seconds(container('websocket-server', 'metrics'));
  assert.ok(metrics >= seconds(node) + window);
  const ending = find('ConfigMap', 'websocket-server-metrics').data['metrics.toml'].match(/drain_timeout = "(\d+)s"/)[1];
  assert.ok(metrics + Number(ending) < grace);
  const toml = find('ConfigMap', 'limpet').data['limpet.toml'];
  const [delay, drain] = ['shutdown_delay', 'drain_timeout'].map((key) => Number(toml.match(new RegExp(`${key} = "(\\d+)s"`))[1]));
  assert.ok(delay + drain < pod('limpet').terminationGracePeriodSeconds);
});

test('nothing runs as root, can become it, or writes outside its folder', () => {
  for (const name of ['websocket-server', 'limpet']) {
    const { securityContext, containers, initContainers = [] } = pod(name);
    assert.equal(securityContext.runAsNonRoot, true);
    for (const each of [...containers, ...initContainers]) {
      assert.deepEqual(each.securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
      for (const { name: volume } of each.volumeMounts) assert.ok(pod(name).volumes.some((known) => known.name === volume), volume);
    }
    assert.match(textOf('Dockerfile'), new RegExp(`^USER ${securityContext.runAsUser}:${securityContext.runAsGroup}$`, 'm'));
  }
});

test('the image: two stages of Debian 12, the packages that a build needs', () => {
  const dockerfile = textOf('Dockerfile');
  assert.deepEqual(dockerfile.match(/^FROM .*$/gm), ['FROM debian:12-slim AS build', 'FROM debian:12-slim']);
  assert.match(dockerfile, /^RUN tests\/install build$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["\/usr\/local\/bin\/limpet"\]$/m);
});

// Not of a sanitizer's build, which links its own.
test('the packages of the image are those of the libraries that the program links', async (t) => {
  const { stdout } = await run('ldd', [binary]);
  const libraries = [...stdout.matchAll(/=> (\/\S+)/g)].map(([, file]) => file);
  if (libraries.some((file) => /lib(a|t|ub)san\.so/.test(file))) return t.skip('a sanitizer is linked');
  const owned = await Promise.all(libraries.map((file) => packageOf(file)));
  const linked = new Set(owned.map((each) => each.replace(/:\w+$/, '')));
  for (const each of ['libc6', 'libgcc-s1']) linked.delete(each);  // of every Debian
  const [, words] = textOf('Dockerfile').split('\nFROM ').at(-1).match(/--no-install-recommends ((?:[^&]|\\\n)*?) *\\?\n *&&/);
  const named = new Set(words.replaceAll('\\\n', ' ').trim().split(/\s+/));
  for (const each of ['ca-certificates', 'curl']) assert.ok(named.delete(each), each);
  assert.deepEqual([...named].sort(), [...linked].sort());
});

// As in the pod, but for the folder and the port.
scenario('the container metrics shows /metrics of its node, to Prometheus, while the node is full, and nothing else', async (world) => {
  const dir = await world.directory();
  const node = world.own(await LimpetNode.start(['--admin', `unix:${dir}/node.sock`, '--max-connections', '1']));
  const proxy = world.own(await Limpet.start(find('ConfigMap', 'websocket-server-metrics').data['metrics.toml']
    .replaceAll('/run/limpet', dir).replace('0.0.0.0:9300', '127.0.0.1:0'), { dir }));
  const get = (target) => request(proxy.address, target, { headers: { host: '10.1.2.3:9300' } });
  assert.equal((await request(node.address, '/socket.io/?EIO=4&transport=polling')).status, 200);
  assert.equal((await node.health()).status, 503);
  const { status, body } = await get('/metrics');
  assert.equal(status, 200);
  assert.match(body, /^websocket_connections 0$/m);
  assert.equal((await get('/health')).status, 404);
});

// As in a pod, but for the folder, the DNS server and the port: pods are 127.0.0.2 and 127.0.0.3.
scenario('the proxy: a server a pod of the headless Service, with the id that the pod gives itself', async (world) => {
  const { spec } = find('Service', 'websocket-server');
  const [, name, port] = find('ConfigMap', 'limpet').data['limpet.toml'].match(/"dns:([^:"]+):(\d+)"/);
  assert.deepEqual([name, Number(port)], ['websocket-server', spec.ports[0].port]);
  assert.ok(container('websocket-server').args.includes(`--id=$(POD_IP):${port}`));
  const pods = [];
  for (const host of ['127.0.0.2', '127.0.0.3']) {
    pods.push(world.own(await LimpetNode.start(['--listen', `${host}:${pods[0]?.address.port ?? 0}`])));
  }
  const here = pods[0].address.port;
  const dns = await world.dns({ 'websocket-server.test': ['127.0.0.2'] });
  const dir = await world.directory();
  const proxy = world.own(await Limpet.start(find('ConfigMap', 'limpet').data['limpet.toml']
    .replaceAll('/run/limpet', dir).replace('0.0.0.0:8080', '127.0.0.1:0').replace('"10s"', '"0s"').replace('"30s"', '"2s"')
    .replace(`dns:${name}:${port}`, `dns:${name}.test:${here}`)
    .replace('[proxy]', `[proxy]\nresolvers = ["${dns.address}"]`), { dir }));
  const servers = async () => (await proxy.status()).pools[0].servers.map(({ id, state }) => `${id} ${state}`).join();
  const up = (...hosts) => until(async () => await servers() === hosts.map((host) => `${host}:${here} up`).join(), 8000, 'those are up');
  await up('127.0.0.2');
  await dns.says({ 'websocket-server.test': ['127.0.0.2', '127.0.0.3'] });
  await up('127.0.0.2', '127.0.0.3');
  const places = new Set();
  for (let i = 0; i < 4; i += 1) {
    const { body } = await request(proxy.address, '/socket.io/?EIO=4&transport=polling');
    const { sid } = JSON.parse(body.slice(1));
    places.add(sid.slice(12));
    assert.equal((await request(proxy.address, `/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body: '40' })).status, 200);
  }
  assert.deepEqual([...places].sort(), ['127.0.0.2', '127.0.0.3'].map((host) => tagOf(`${host}:${here}`)).sort());
});

scenario('limpet takes the configurations in the manifests', async (world) => {
  const dir = await world.directory();
  const metrics = find('ConfigMap', 'websocket-server-metrics').data['metrics.toml'];
  const proxy = find('ConfigMap', 'limpet').data['limpet.toml'];
  for (const [name, text] of Object.entries({ metrics, proxy })) {
    const file = path.join(dir, `${name}.toml`);
    await writeFile(file, text);
    const { stdout, stderr } = await run(binary, ['check', '-c', file]);
    assert.deepEqual([stdout.trim().split('\n').at(-1), stderr], [`${file}: ok`, '']);
  }
});

test('the flags of the nodes are those of limpet node', async () => {
  const { stdout } = await run(binary, ['node', '--help']);
  const [command, ...flags] = container('websocket-server').args;
  assert.equal(command, 'node');
  for (const flag of flags) assert.ok(stdout.includes(` ${flag.split('=')[0]} `), flag);
});
