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
import { binary } from '../lib/limpet.mjs';
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

// Throws what the schema of that kind says. It lets unknown keys pass, as the API server does with a warning.
function check({ file, ...manifest }) {
  const Kind = require(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`)[manifest.kind];
  new Kind(manifest).validate();
}

for (const manifest of manifests) {
  test(`${manifest.file}: ${manifest.kind} ${manifest.metadata.name} is valid`, () => check(manifest));
}

test('what is not valid is found', () => {
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
