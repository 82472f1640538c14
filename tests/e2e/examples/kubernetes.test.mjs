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
  assert.equal(find('Service', 'websocket-server').spec.clusterIP, 'None');
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
  assert.ok(seconds(container('websocket-server', 'metrics')) >= seconds(node) + window);
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

scenario('a proxy begins with the addresses of the headless Service', async (world) => {
  const dir = await world.directory();
  const { 'limpet.toml': toml, 'list-servers': script } = find('ConfigMap', 'limpet').data;
  await writeFile(path.join(dir, 'etc.toml'), toml);
  const here = script.replaceAll('/etc/limpet/limpet.toml', `${dir}/etc.toml`).replaceAll('/run/limpet', dir)
    .replace('ahostsv4 websocket-server', 'ahostsv4 127.0.0.1').replaceAll('limpet check', `${binary} check`);
  await run('sh', ['-c', here]);
  assert.match(readFileSync(path.join(dir, 'limpet.toml'), 'utf8'), /^servers = \["127\.0\.0\.1:3000"\]$/m);
});

scenario('limpet takes the configurations in the manifests', async (world) => {
  const dir = await world.directory();
  const metrics = find('ConfigMap', 'websocket-server-metrics').data['metrics.toml'];
  const proxy = find('ConfigMap', 'limpet').data['limpet.toml'].replace('[SERVERS]', '["10.1.2.3:3000", "10.1.2.4:3000"]');
  for (const [name, text] of Object.entries({ metrics, proxy })) {
    const file = path.join(dir, `${name}.toml`);
    await writeFile(file, text);
    const { stdout, stderr } = await run(binary, ['check', '-c', file]);
    assert.deepEqual([stdout.trim(), stderr], [`${file}: ok`, '']);
  }
});

test('the flags of the nodes are those of limpet node', async () => {
  const { stdout } = await run(binary, ['node', '--help']);
  const [command, ...flags] = container('websocket-server').args;
  assert.equal(command, 'node');
  for (const flag of flags) assert.ok(stdout.includes(` ${flag.split('=')[0]} `), flag);
});
