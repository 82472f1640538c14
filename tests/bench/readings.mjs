// Readings of several rounds as what is shown of them: medians, spreads, tables, the part of a README between markers.
import { readFileSync, writeFileSync } from 'node:fs';

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const digits = (value) => (value === 0 ? '0' : value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2));

// 172 345 as 172 000: more is not known.
export const rounded = (value) => Number(value.toPrecision(3)).toLocaleString('en').replaceAll(',', ' ');

// { median, spread, failed }: over the readings that did not fail; spread is half the range, as a share of the median.
export function over(readings, pick) {
  const failed = readings.find((reading) => reading.failed)?.failed;
  const values = readings.filter((reading) => !reading.failed).map(pick).filter(Number.isFinite);
  if (!values.length) return { failed: failed ?? 'no reading' };
  const middle = median(values);
  return { median: middle, spread: middle ? (Math.max(...values) - Math.min(...values)) / 2 / middle : 0, failed };
}

export function shown(value, text = digits) {
  if (!value) return '';
  if (value.median === undefined) return `failed (${value.failed.replaceAll('|', '/').slice(0, 60)})`;
  const spread = value.spread ? ` ±${(value.spread * 100).toFixed(0)} %` : '';
  return `${text(value.median)}${spread}${value.failed ? ' (some runs failed)' : ''}`;
}

export const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
export const verdict = (reached) => (reached === undefined ? '' : reached ? 'yes' : '**no**');

// Whether limpet failed anywhere.
export const limpetFailed = ({ readings }) => Object.values(readings).some(({ limpet }) => limpet?.some(({ failed }) => failed));

// What a reader has to know of the run; `pinned` says what has which core.
export function about({ machine, rounds, seconds, quick, versions }, pinned) {
  const cores = machine.pinned ? pinned : 'One core for everything: these figures say little.';
  const busy = machine.load > machine.cores / 2
    ? ` The machine was busy before the run began (load ${machine.load}): only ratios mean anything.` : '';
  return `${machine.date}, ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}. ${cores}${busy} `
    + `${rounds} round${rounds === 1 ? '' : 's'}, ${Math.round(seconds / 60)} minutes. `
    + `${quick ? 'A quick run, with fewer sockets and short windows: no figures to quote. ' : ''}`
    + `${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}.`;
}

// Puts the results between the markers of a README.
export function writeReadme(file, text) {
  const old = readFileSync(file, 'utf8');
  const begin = '<!-- results -->';
  const end = '<!-- /results -->';
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has lost its markers of results`);
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
