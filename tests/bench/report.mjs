// What the readings say: tables on standard output and, of a complete run, in README.md, and the chart.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cells } from './cells.mjs';
import { chart } from './chart.mjs';
import { names, rivals } from './peers.mjs';
import { stages } from './memory.mjs';
import { about, limpetFailed, over, shown, table, verdict, writeReadme } from './readings.mjs';
import { top } from './processes.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const meanGoal = 0.82;

// A value per proxy of one cell, and which peer is best. A quick run is judged by nothing.
function line(results, name, pick) {
  const { goal, floor, goalKiB, ...cell } = cells[name];
  if (!results.quick) Object.assign(cell, { goal, floor, goalKiB });
  const values = {};
  for (const [proxy, readings] of Object.entries(results.readings[name] ?? {})) values[proxy] = over(readings, pick);
  const able = rivals.filter((rival) => values[rival]?.median !== undefined);
  const best = able.sort((a, b) => values[a].median - values[b].median)[0];
  const ratio = best && values.limpet?.median !== undefined ? values.limpet.median / values[best].median : undefined;
  return { name, cell, values, best: best && values[best].median, bestName: best, ratio };
}

// The most that limpet may cost, as a share of the best peer. Below the relay nobody gets: where that stands above the
// share, what counts is the relay and 5 %.
function goalOf({ cell, values, best }) {
  if (cell.goal === undefined || best === undefined) return undefined;
  const relay = values.relay?.median;
  const wanted = cell.goal * best;
  if (relay === undefined) return cell.goal;
  if (relay > wanted) return 1.05 * relay / best;
  return Math.min(wanted, cell.floor ? cell.floor * relay : Infinity) / best;
}

function cpuTable(results, proxies) {
  const lines = Object.keys(results.readings).filter((name) => !cells[name].memory)
    .map((name) => line(results, name, (reading) => reading.cpu_us_per_unit));
  const rows = lines.map((one) => {
    const goal = goalOf(one);
    const reached = goal !== undefined && one.ratio !== undefined ? one.ratio <= goal : undefined;
    return [one.name, one.cell.unit, ...proxies.map((proxy) => shown(one.values[proxy])),
      one.ratio === undefined ? '' : `${one.ratio.toFixed(2)} (${one.bestName})`,
      goal === undefined ? '' : `≤ ${goal.toFixed(2)}`, verdict(reached)];
  });
  const judged = lines.filter((one) => one.cell.goal !== undefined && one.ratio !== undefined);
  const mean = judged.length ? Math.exp(judged.reduce((sum, one) => sum + Math.log(one.ratio), 0) / judged.length) : undefined;
  const text = [
    '### CPU', '',
    'Microseconds of the proxy per unit: median of the rounds, ± half of their range.', '',
    table(['cell', 'unit', ...proxies, 'limpet / best peer', 'goal', 'reached'], rows),
  ];
  if (mean !== undefined) {
    text.push('', `Geometric mean of limpet / best peer over the ${judged.length} cells that have a goal: `
      + `${mean.toFixed(2)} (goal ≤ ${meanGoal}: ${mean <= meanGoal ? 'reached' : '**not reached**'}).`);
  }
  return { text: text.join('\n'), lines };
}

function latencyTable(results, proxies) {
  const rows = [];
  for (const name of Object.keys(results.readings).filter((cell) => cells[cell].latency)) {
    for (const [key, label] of [['p50', 'p50'], ['p99', 'p99'], ['p999', 'p99.9']]) {
      const one = line(results, name, (reading) => reading.latency_us?.[key]);
      const judged = !results.quick && cells[name].latency === true && key !== 'p50' && one.ratio !== undefined;
      rows.push([name, label, ...proxies.map((proxy) => shown(one.values[proxy])),
        one.ratio === undefined ? '' : `${one.ratio.toFixed(2)} (${one.bestName})`,
        judged ? '≤ 1.00' : '', verdict(judged ? one.ratio <= 1 : undefined)]);
    }
  }
  if (!rows.length) return '';
  return ['### Latency', '', 'Microseconds from when a message was due to when it was back (push: from due to received).', '',
    table(['cell', 'percentile', ...proxies, 'limpet / best peer', 'goal', 'reached'], rows)].join('\n');
}

function memoryTable(results, proxies) {
  const rows = [];
  for (const name of Object.keys(results.readings).filter((cell) => cells[cell].memory)) {
    for (const stage of stages(name)) {
      const one = line(results, name, stage.pick);
      if (!Object.values(one.values).some((value) => value.median !== undefined || value.failed !== 'no reading')) continue;
      const goal = stage.judged ? one.cell.goalKiB : undefined;
      const own = one.values.limpet?.median;
      rows.push([name, stage.label, ...proxies.map((proxy) => shown(one.values[proxy])),
        goal === undefined ? '' : `≤ ${goal} KiB`,
        verdict(goal === undefined || own === undefined ? undefined : own <= goal)]);
    }
  }
  if (!rows.length) return '';
  return ['### Memory', '', 'KiB of a connection or a tunnel.', '',
    table(['cell', 'when', ...proxies, 'goal', 'reached'], rows)].join('\n');
}

// What the chart shows of each cell: the others' CPU as a multiple of limpet's.
function bars(lines, proxies) {
  return lines.filter((one) => one.values.limpet?.median).map(({ name, values }) => ({
    name,
    ratios: Object.fromEntries(proxies.filter((proxy) => values[proxy]?.median !== undefined)
      .map((proxy) => [proxy, values[proxy].median / values.limpet.median])),
  }));
}

// Tells what came out; returns whether limpet failed anywhere.
export function report(results, { readme: intoReadme }) {
  const proxies = names.filter((name) => name in results.versions);
  const cpu = cpuTable(results, proxies);
  const { relay, ...versions } = results.versions;
  const pinned = 'Load and servers on one core, the proxy on another.';
  const parts = [about({ ...results, versions }, pinned), cpu.text, latencyTable(results, proxies), memoryTable(results, proxies)];
  const text = parts.filter(Boolean).join('\n\n');
  console.log(`\n${text}`);
  const drawn = chart(bars(cpu.lines, proxies), {
    what: 'the proxy', colours: { nginx: '#3f8fd2', haproxy: '#e08a1e', caddy: '#a06cd5', nghttpx: '#2fa68a', relay: '#8c8c8c' },
    file: path.join(top, 'build/bench/results.svg'), copy: intoReadme && path.join(here, 'results.svg'),
  });
  if (intoReadme) writeReadme(path.join(here, 'README.md'), drawn ? `![CPU of each proxy, cell by cell](results.svg)\n\n${text}` : text);
  return limpetFailed(results);
}
