// What the readings say: a table on standard output and, of a complete run, in README.md.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { about, limpetFailed, over, rounded, shown, table, verdict, writeReadme } from '../readings.mjs';
import { cells } from './cells.mjs';
import { names } from './servers.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

// Tells what came out; returns whether limpet failed anywhere.
export function report(results, { readme }) {
  const servers = names.filter((name) => name in results.versions);
  const rows = Object.entries(results.readings).map(([name, byServer]) => {
    const { unit, goal } = cells[name];
    const values = Object.fromEntries(Object.entries(byServer).map(
      ([server, readings]) => [server, over(readings, (one) => 1e6 / one.cpu_us_per_unit)]));
    const ratio = (other) => (values.limpet?.median && values[other]?.median ? values.limpet.median / values[other].median : undefined);
    const ratios = servers.slice(1).map(ratio);
    const least = Math.min(...ratios.filter(Boolean));
    const judged = !results.quick && Number.isFinite(least);
    return [name, unit, ...servers.map((server) => shown(values[server], rounded)), ...ratios.map((one) => one?.toFixed(2) ?? ''),
      judged ? `≥ ${goal}` : '', verdict(judged ? least >= goal : undefined)];
  });
  const text = [about(results, 'Load, Redis and who speaks on one core, the node on another.'), '',
    'Units per CPU second of the node, user and system: median of the rounds, ± half of their range.', '',
    table(['cell', 'unit', ...servers, ...servers.slice(1).map((name) => `limpet / ${name}`), 'goal', 'reached'], rows)].join('\n');
  console.log(`\n${text}`);
  if (readme) writeReadme(path.join(here, 'README.md'), text);
  return limpetFailed(results);
}
