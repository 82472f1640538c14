// The chart of CPU: for each cell a bar for each other program, as a multiple of limpet's, drawn by gnuplot as SVG.
//
// No background, and greys and colours of middle lightness: it is read on white and on black.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';

const limpetColour = '#e0435c';
const grey = '#808080';
// Longer bars are cut here, and say how long they are.
const longest = 3;
const bar = 0.16;

// Where the bar of a cell and another program lies, and how long it is.
function bars(rows, others) {
  return others.flatMap((proxy, place) => rows.flatMap((row, index) => {
    const ratio = row.ratios[proxy];
    return ratio === undefined ? [] : [{ proxy, ratio, y: index + (place - (others.length - 1) / 2) * bar }];
  }));
}

function script(rows, { what, colours, file }) {
  const others = Object.keys(colours).filter((name) => rows.some((row) => name in row.ratios));
  const all = bars(rows, others);
  const tooLong = all.filter((one) => one.ratio > longest);
  const data = others.flatMap((proxy) => [`$${proxy} << END`,
    ...all.filter((one) => one.proxy === proxy)
      .map(({ ratio, y }) => `0 ${y} 0 ${Math.min(ratio, longest)} ${y - bar * 0.45} ${y + bar * 0.45}`),
    'END']);
  const plots = others.map((proxy) => `$${proxy} using 1:2:3:4:5:6 with boxxyerror lc rgb "${colours[proxy]}" title "${proxy}"`);
  plots.push(`NaN with lines lc rgb "${limpetColour}" lw 2 title "limpet"`);
  return [
    `set terminal svg size 860,${130 + 62 * rows.length} font "sans-serif,13"`, `set output "${file}"`,
    `set border 1 lc rgb "${grey}"`, 'set style fill solid 0.9 noborder', 'set rmargin 6',
    `set xtics 0.5 nomirror textcolor rgb "${grey}"`, `set grid xtics lc rgb "${grey}" lw 0.3`,
    `set xlabel "CPU of ${what} per unit, as a multiple of limpet's: to the right of the line is dearer" tc rgb "${grey}"`,
    `set key above horizontal textcolor rgb "${grey}" samplen 1.5`,
    `set xrange [0:${longest}]`, `set yrange [${rows.length - 0.35}:-0.65]`,
    `set ytics scale 0 textcolor rgb "${grey}" (${rows.map((row, index) => `"${row.name}" ${index}`).join(', ')})`,
    `set arrow from 1,graph 0 to 1,graph 1 nohead lc rgb "${limpetColour}" lw 2 front`,
    ...tooLong.map(({ ratio, y }) => `set label "${ratio.toFixed(1)}" at ${longest},${y} offset 0.5,0 font ",10" tc rgb "${grey}"`),
    ...data, `plot ${plots.join(', ')}`, '',
  ].join('\n');
}

// Draws `file`, and `copy` if there is to be one: rows of { name, ratios: { other: multiple } }, where `colours` has the
// others in their order. Returns whether there is a chart now.
export function chart(rows, { what, colours, file, copy }) {
  if (!rows.some((row) => Object.keys(row.ratios).some((name) => name in colours))) return false;
  const { status, error, stderr } = spawnSync('gnuplot', { input: script(rows, { what, colours, file }), encoding: 'utf8' });
  if (status !== 0) {
    console.log(`no chart: ${error?.message ?? stderr}`);
    return false;
  }
  if (copy) copyFileSync(file, copy);
  return true;
}
