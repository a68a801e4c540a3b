/** The plot of the bench: how a warm deploy grows with the files of the tree. Its colours are readable on light and on dark. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

const COLOURS = ['#1f77b4', '#d9730d', '#2e8b57', '#b0559f'];
const WIDTH = 380;
const HEIGHT = 260;
const LEFT = 46;
const TOP = 34;
const BOTTOM = 40;
const RIGHT = 18;

/** SVG of panels side by side; x is logarithmic, y begins at 0. */
export function plot(panels: readonly Panel[], xTitle: string): string {
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const colour = (name: string): string => COLOURS[names.indexOf(name) % COLOURS.length] ?? '#888';
  const legend = names.map((name, index) => {
    const x = LEFT + index * 120;
    return `<rect x="${x}" y="${HEIGHT + 8}" width="12" height="12" fill="${colour(name)}"/><text x="${x + 18}" y="${HEIGHT + 18}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * panels.length} ${HEIGHT + 30}" font-family="system-ui, sans-serif" font-size="12">
<style>text{fill:#57606a}.grid{stroke:#8884}@media (prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>
${panels.map((panel, index) => `<g transform="translate(${index * WIDTH} 0)">${drawn(panel, xTitle, colour)}</g>`).join('\n')}
${legend.join('')}
</svg>
`;
}

function drawn({ title, series }: Panel, xTitle: string, colour: (name: string) => string): string {
  const points = series.flatMap(({ points: all }) => all);
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b);
  const [low = 1, high = 10] = [xs[0], xs.at(-1)];
  const top = niceTop(Math.max(...points.map(({ y }) => y), 0));
  const atX = (x: number): number =>
    LEFT + (Math.log(x / low) / (Math.log(high / low) || 1)) * (WIDTH - LEFT - RIGHT);
  const atY = (y: number): number => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const rows = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = atY(top * part).toFixed(1);
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text x="${LEFT - 6}" y="${Number(y) + 4}" text-anchor="end">${Number((top * part).toFixed(2))}</text>`;
  });
  const columns = xs.map(
    (x) =>
      `<text x="${atX(x).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${x.toLocaleString('en')}</text>`,
  );
  const lines = series.map(({ name, points: own }) => {
    const places = own.map(({ x, y }) => `${atX(x).toFixed(1)},${atY(y).toFixed(1)}`);
    const dots = places.map((place) => {
      const [x = '', y = ''] = place.split(',');
      return `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour(name)}"/>`;
    });
    return `<polyline fill="none" stroke="${colour(name)}" stroke-width="2" points="${places.join(' ')}"/>${dots.join('')}`;
  });
  return `<text x="${LEFT}" y="16" font-weight="600">${title}</text>${rows.join('')}${columns.join('')}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${xTitle}</text>${lines.join('')}`;
}

/** A round number above. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 5, 10].map((step) => step * power).find((each) => each >= value) ?? 10 * power;
}
