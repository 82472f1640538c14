// Tables and plots of a run of the micro benchmarks: scaling.mjs RESULTS FOLDER. Reads RESULTS/*.json, rewrites the
// tables between the markers of FOLDER/SCALING.md, has gnuplot draw FOLDER/scaling-*.svg.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [results, folder] = process.argv.slice(2);

// A plot and a table each: rows are benchmarks, columns their argument.
const figures = [
  { name: 'source', title: 'A new session, placed by its source', x: 'servers', rows: {
    source_idle: 'nobody above 64',
    source_bounded: 'all above 64',
    source_weighted: 'each with a weight of its own',
    source_crowded: 'a third over its bound',
    source_third_down: 'a third down',
    source_most_down: 'nine of ten down',
  } },
  { name: 'sessions', title: 'A session that is known', x: 'servers', rows: {
    sid_tag: 'by its sid\'s tag',
    cookie: 'by its cookie',
    cookie_bounded: 'by its cookie, all above 64',
    sid_unknown: 'by its source (unknown sid)',
  } },
  { name: 'balance', title: 'A request that balance places', x: 'servers', rows: {
    'balance/least_connections': 'least_connections',
    'balance/round_robin': 'round_robin',
    'balance/random_two': 'random_two',
  } },
  { name: 'kept', title: 'What is taken anew every 10 ms', x: 'servers', rows: {
    sums_taken: 'sums for the load bound',
    roster_written: 'a roster and one choice',
  } },
  { name: 'routes', title: 'A route looked up', x: 'routes', rows: {
    route_exact: 'a host each',
    route_wildcard: 'a wildcard each',
    route_path: 'a path each, one host',
    route_path_lengths: 'a path each, no two of one length',
  } },
  { name: 'sids', title: 'The table of learned sids', x: 'entries', rows: {
    sid_hit: 'found', sid_miss: 'not found', sid_learn: 'learned, another goes',
  } },
  { name: 'heads', title: 'A request\'s head', x: 'fields', rows: {
    head_scanned: 'scanned', head_parsed: 'parsed', head_in_bytes: 'scanned byte by byte', cookie_found: 'its cookie found',
  } },
  { name: 'timers', title: 'A deadline', x: 'deadlines that stand', rows: {
    timer_set: 'set again', timer_expired: 'comes, and is set again', timer_next: 'when is the next',
  } },
  { name: 'tunnels', title: 'A tunnel\'s message, without its system calls', x: 'tunnels', rows: {
    tunnel_event: 'event and relay', tunnel_slot: 'a slot taken and given back',
  } },
  { name: 'configuration', title: 'A configuration read, checked and made a snapshot', x: 'routes, each with a pool',
    rows: { configuration: 'all of it' } },
];

// The least CPU time of the repetitions, in nanoseconds, by benchmark and argument.
function read() {
  const scale = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
  const costs = new Map();
  for (const file of readdirSync(results).filter((name) => name.endsWith('.json'))) {
    for (const each of JSON.parse(readFileSync(join(results, file), 'utf8')).benchmarks) {
      if (each.run_type !== 'iteration') continue;
      if (each.error_occurred) throw new Error(`${each.name}: ${each.error_message}`);
      const [, name, argument] = /^(.*?)(?:\/(\d+))?$/.exec(each.run_name);
      const series = costs.get(name) ?? new Map();
      costs.set(name, series);
      const cost = each.cpu_time * scale[each.time_unit];
      series.set(Number(argument ?? 0), Math.min(cost, series.get(Number(argument ?? 0)) ?? Infinity));
    }
  }
  return costs;
}

function shown(ns) {
  const [value, unit] = ns < 1000 ? [ns, 'ns'] : ns < 1e6 ? [ns / 1e3, 'µs'] : ns < 1e9 ? [ns / 1e6, 'ms'] : [ns / 1e9, 's'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');

function table(figure, costs) {
  const rows = Object.entries(figure.rows).filter(([key]) => costs.has(key));
  const columns = [...new Set(rows.flatMap(([key]) => [...costs.get(key).keys()]))].sort((a, b) => a - b);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line([figure.x, ...columns.map(count)]),
    line(['---', ...columns.map(() => '--:')]),
    ...rows.map(([key, label]) => line([label, ...columns.map((n) => (costs.get(key).has(n) ? shown(costs.get(key).get(n)) : ''))])),
  ].join('\n');
}

// Colours that stand out on white and on black; the plot has no background of its own.
const colours = ['#3b82f6', '#f97316', '#22a559', '#d946ef', '#e0a800', '#ef4444'];
const grey = '#8a8f98';

function draw(figure, costs) {
  const rows = Object.entries(figure.rows).filter(([key]) => costs.has(key));
  const data = rows.map(([key], i) => `$D${i} << EOD\n${[...costs.get(key)].sort((a, b) => a[0] - b[0])
    .map(([x, y]) => `${x} ${y}`).join('\n')}\nEOD`);
  const all = rows.flatMap(([key]) => [...costs.get(key).values()]);
  const low = 10 ** Math.floor(Math.log10(Math.min(...all)));
  const high = Math.max(10 ** Math.ceil(Math.log10(Math.max(...all))), low * 1000);
  const unit = {
    1: '1 ns', 10: '10 ns', 100: '100 ns', 1e3: '1 µs', 1e4: '10 µs', 1e5: '100 µs', 1e6: '1 ms', 1e7: '10 ms',
    1e8: '100 ms', 1e9: '1 s', 1e10: '10 s',
  };
  const ticks = Object.entries(unit)
    .map(([ns, text]) => `"${text}" ${ns}`)
    .join(', ');
  const lines = rows.map(
    ([, label], i) => `$D${i} using 1:2 with linespoints lw 2.5 pt 7 ps 0.6 lc rgb "${colours[i]}" title "${label}"`,
  );
  const keyColumns = rows.length > 3 ? 2 : rows.length;
  const keyRows = Math.ceil(rows.length / keyColumns);
  const script = [
    'set encoding utf8',
    `set terminal svg size 760,400 dynamic font "sans-serif,13" noenhanced`,
    `set output "${join(folder, `scaling-${figure.name}.svg`)}"`,
    ...data,
    'set logscale xy',
    `set yrange [${low}:${high}]`,
    `set ytics (${ticks})`,
    `set xtics ("1" 1, "10" 10, "100" 100, "1000" 1000, "10 000" 1e4, "100 000" 1e5, "1 000 000" 1e6)`,
    `set border 3 lc rgb "${grey}"`,
    `set tics nomirror textcolor rgb "${grey}"`,
    `set grid lc rgb "${grey}" lw 0.5 dt 3`,
    `set title "${figure.title}" textcolor rgb "${grey}"`,
    `set xlabel "${figure.x}" textcolor rgb "${grey}"`,
    `set bmargin ${3.8 + 1.3 * keyRows}`,
    'set rmargin 6',
    `set key at screen 0.5,0.02 bottom center horizontal maxcols ${keyColumns} maxrows ${keyRows} textcolor rgb "${grey}" samplen 2`,
    `plot ${lines.join(', ')}`,
  ].join('\n');
  execFileSync('gnuplot', ['-'], { input: script, stdio: ['pipe', 'inherit', 'inherit'] });
}

const costs = read();
const page = join(folder, 'SCALING.md');
let text = readFileSync(page, 'utf8');
for (const figure of figures) {
  draw(figure, costs);
  const between = new RegExp(`(<!-- ${figure.name} -->\n)[^]*?(<!-- end -->)`);
  if (!between.test(text)) throw new Error(`SCALING.md has no place for ${figure.name}`);
  text = text.replace(between, (_, begin, end) => `${begin}\n${table(figure, costs)}\n\n${end}`);
}
writeFileSync(page, text);
