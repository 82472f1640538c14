// What the readings say: tables on standard output and, of a complete run, in README.md, and the chart.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from '../chart.mjs';
import { top } from '../processes.mjs';
import { about, limpetFailed, over, rounded, shown, table, verdict, writeReadme } from '../readings.mjs';
import { cells } from './cells.mjs';
import { names } from './servers.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const colours = { nodejs: '#3f8fd2', eiows: '#2fa68a', floor: '#8c8c8c' };

const namesOf = (results, test) => Object.keys(results.readings).filter((name) => test(cells[name]));
const valuesOf = (results, name, pick) => Object.fromEntries(
  Object.entries(results.readings[name]).map(([server, readings]) => [server, over(readings, pick)]));

// limpet's share of another's value.
function share(values, other) {
  const [own, theirs] = [values.limpet?.median, values[other]?.median];
  return own === undefined || theirs === undefined ? undefined : own / theirs;
}
const ratio = (value) => (value === undefined ? '' : value.toFixed(2));

// Each unit of a cell, by CPU second. A quick run is judged by nothing.
function cpuTable(results, servers) {
  const rows = namesOf(results, (cell) => !cell.memory).map((name) => {
    const { unit, goal, nodejs } = cells[name];
    const values = valuesOf(results, name, (reading) => 1e6 / reading.cpu_us_per_unit);
    const [ofFloor, ofNode] = [share(values, 'floor'), share(values, 'nodejs')];
    const [wanted, reached] = goal ? [`≥ ${goal.toFixed(2)} floor`, ofFloor >= goal] : [`≥ ${nodejs} nodejs`, ofNode >= nodejs];
    const judged = !results.quick && (goal ? ofFloor : ofNode) !== undefined;
    return [name, unit, ...servers.map((server) => shown(values[server], rounded)),
      ratio(ofFloor), ratio(ofNode), judged ? wanted : '', verdict(judged ? reached : undefined)];
  });
  if (!rows.length) return '';
  return ['### CPU', '', 'Units per CPU second of the server, user and system: median of the rounds, ± half of their range.', '',
    table(['cell', 'unit', ...servers, 'limpet / floor', 'limpet / nodejs', 'goal', 'reached'], rows)].join('\n');
}

function latencyTable(results, servers) {
  const rows = namesOf(results, (cell) => cell.latency).map((name) => [name,
    ...servers.map((server) => shown(valuesOf(results, name, (reading) => reading.latency_us?.p99)[server]))]);
  if (!rows.length) return '';
  return ['### Latency', '', 'p99 in microseconds, of a closed loop: the server is always busy, and who does more in a second '
    + 'waits less. Echo: until the ack; fan-out: until the last member has it; sessions: until connected.', '',
  table(['cell', ...servers], rows)].join('\n');
}

const stages = [['after_join', 'in one room', true], ['after_message', 'after an echo', true], ['after_close', 'after all closed', false]];

function memoryTable(results, servers) {
  const rows = namesOf(results, (cell) => cell.memory).flatMap((name) => stages.map(([stage, label, judged]) => {
    const values = valuesOf(results, name, (reading) => reading.memory?.[stage] && reading.memory[stage].anonymous * 1024);
    const goal = judged && !results.quick ? cells[name].goalBytes : undefined;
    const own = values.limpet?.median;
    return [name, label, ...servers.map((server) => shown(values[server], rounded)), goal ? `≤ ${goal}` : '',
      verdict(goal && own !== undefined ? own <= goal : undefined)];
  }));
  if (!rows.length) return '';
  return ['### Memory', '', 'Bytes of a connection: growth of the server\'s anonymous memory. The kernel\'s share is the same for all.', '',
    table(['cell', 'when', ...servers, 'goal', 'reached'], rows)].join('\n');
}

function bars(results) {
  return namesOf(results, (cell) => !cell.memory).flatMap((name) => {
    const { limpet, ...others } = valuesOf(results, name, (reading) => reading.cpu_us_per_unit);
    if (!limpet?.median) return [];
    const known = Object.entries(others).filter(([, value]) => value.median !== undefined);
    return [{ name, ratios: Object.fromEntries(known.map(([server, value]) => [server, value.median / limpet.median])) }];
  });
}

// Tells what came out; returns whether limpet failed anywhere.
export function report(results, { readme }) {
  const servers = names.filter((name) => name in results.versions);
  const { floor, ...versions } = results.versions;
  const parts = [about({ ...results, versions }, 'Load on one core, the server on another.'),
    cpuTable(results, servers), latencyTable(results, servers), memoryTable(results, servers)];
  const text = parts.filter(Boolean).join('\n\n');
  console.log(`\n${text}`);
  const drawn = chart(bars(results), {
    what: 'the server', colours, file: path.join(top, 'build/bench/backend/results.svg'),
    copy: readme && path.join(here, 'results.svg'),
  });
  if (readme) writeReadme(path.join(here, 'README.md'), drawn ? `![CPU of each server, cell by cell](results.svg)\n\n${text}` : text);
  return limpetFailed(results);
}
