/** The runs of all stages as lanes over time: a page without scripts, which loads nothing. Pure. */
import type { HistoryEntry } from '../engine/index.ts';
import { formatAge, shortCommit, type Translate } from '../format.ts';
import { printable } from '../printable.ts';
import { actionText, commitsText, isDeploying, type StageHistory } from './history.ts';
import type { View } from './item.ts';

/** More runs than this, of all stages, would lie on top of each other. */
const MOST = 60;

/** In percent of the width: the least between two runs, and what is free at both ends. */
const GAP = 1.4;
const MARGIN = 2;

/** Between the labels of two segments or of two days. */
const LABEL_GAP = 8;

/** Of the picture's width, in percent: what the label of a day takes. */
const DAY_WIDTH = 12;

/** What stands for the colours of commits: the theme's own. */
const COLOURS = ['blue', 'green', 'purple', 'cyan', 'yellow'] as const;

interface Placed {
  readonly run: HistoryEntry;
  readonly key: string;
  /** Percent. */
  readonly x: number;
}

interface Lane {
  readonly name: string;
  /** Oldest first. */
  readonly runs: readonly Placed[];
}

/** @param nonce random: nothing but the page's own style is in force. */
export function lanesHtml(history: readonly StageHistory[], view: View, nonce: string): string {
  const { t } = view;
  const lanes = lanesOf(history);
  const colours = coloursOf(lanes);
  const body =
    lanes.length === 0
      ? [`<p>${escape(t('No run is known yet. Ask for the history first.'))}</p>`]
      : [...lanes.map((lane) => laneHtml(lane, colours, view)), daysHtml(lanes, view), legendHtml(t)];
  return `<!DOCTYPE html>
<html><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'">
<title>${escape(t('Durant: History'))}</title>
<style nonce="${nonce}">${STYLE}</style></head>
<body>
${body.join('\n')}
</body></html>
`;
}

/** All runs in the order of time: as far from each other as they were, and never closer than can be seen. */
function lanesOf(history: readonly StageHistory[]): readonly Lane[] {
  const all = history
    .flatMap(({ file, stage, runs }) => runs.map((run) => ({ run, key: `${file}\0${stage}` })))
    .toSorted((a, b) => (a.run.started < b.run.started ? -1 : 1))
    .slice(-MOST);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return [];
  const start = Date.parse(first.run.started);
  const span = Math.max(1, Date.parse(last.run.started) - start);
  const free = 100 - 2 * MARGIN - GAP * (all.length - 1);
  const placed = all.map(({ run, key }, index): Placed => ({
    run,
    key,
    x: MARGIN + GAP * index + (free * (Date.parse(run.started) - start)) / span,
  }));
  return history.flatMap(({ file, stage, name }) => {
    const runs = placed.filter(({ key }) => key === `${file}\0${stage}`);
    return runs.length === 0 ? [] : [{ name, runs }];
  });
}

/** The same commit has the same colour on every lane; those that follow each other have different ones. */
function coloursOf(lanes: readonly Lane[]): ReadonlyMap<string, string> {
  const commits = lanes
    .flatMap(({ runs }) => runs)
    .toSorted((a, b) => a.x - b.x)
    .flatMap(({ run }) => (isDeploying(run) ? [run.commit ?? ''] : []));
  return new Map(
    [...new Set(commits)].map((commit, index) => [commit, COLOURS[index % COLOURS.length] ?? 'blue']),
  );
}

function laneHtml({ name, runs }: Lane, colours: ReadonlyMap<string, string>, view: View): string {
  const { t, now } = view;
  const changes = runs.filter(({ run }) => isDeploying(run));
  const live = changes.at(-1);
  const said =
    live === undefined
      ? ''
      : t(
          '{0}, {1}',
          live.run.commit === null ? (live.run.release ?? '') : shortCommit(live.run.commit),
          formatAge(live.run.started, now, t),
        );
  let labelled = -LABEL_GAP;
  const segments = changes.map(({ run, x }, index) => {
    const end = changes[index + 1]?.x ?? 100;
    const colour = colours.get(run.commit ?? '') ?? 'blue';
    const hasRoom = end - x >= LABEL_GAP && x - labelled >= LABEL_GAP;
    if (hasRoom) labelled = x;
    const label = hasRoom
      ? `<text class="label" x="${percent(x)}" y="12">${escape(shortCommit(run.commit ?? ''))}</text>`
      : '';
    return `<line class="live ${colour}" x1="${percent(x)}" x2="${percent(end)}" y1="28" y2="28"/>${label}`;
  });
  return `<section><h2>${escape(name)} <span>${escape(said)}</span></h2>
<svg class="lane" role="group" aria-label="${escape(name)}"><line class="rail" x1="0" x2="100%" y1="28" y2="28"/>
${segments.join('\n')}
${runs.map((placed) => markHtml(placed, colours, view)).join('\n')}
</svg></section>`;
}

function markHtml({ run, x }: Placed, colours: ReadonlyMap<string, string>, { t, localTime }: View): string {
  const text = [
    `${actionText(run, t)} ${commitsText(run)}`.trim(),
    localTime(run.started),
    `${run.user}@${run.host}`,
    ...(run.error === null ? [] : [run.error.message]),
  ].join('\n');
  const colour = colours.get(run.commit ?? '') ?? 'blue';
  return `<svg x="${percent(x)}" y="28" overflow="visible" role="img" aria-label="${escape(text)}"><title>${escape(text)}</title>${shapeOf(run, colour)}</svg>`;
}

function shapeOf({ action, ok }: HistoryEntry, colour: string): string {
  if (!ok) return '<path class="failed" d="M-5-5L5 5M-5 5L5-5"/>';
  switch (action) {
    case 'deploy':
    case 'adopt':
      return `<circle class="mark ${colour}" r="6"/>`;
    case 'promote':
      return `<path class="mark ${colour}" d="M0-7L7 6L-7 6Z"/>`;
    case 'rollback':
    case 'dead_man':
      return `<path class="mark ${colour}" d="M0-7L7 0L0 7L-7 0Z"/>`;
    case 'hold':
      return '<path class="other" d="M-3-6V6M3-6V6"/>';
    default:
      return '<circle class="other" r="3"/>';
  }
}

/** The days, where they begin. */
function daysHtml(lanes: readonly Lane[], { localTime, localDay = localTime }: View): string {
  const runs = lanes.flatMap((lane) => lane.runs).toSorted((a, b) => a.x - b.x);
  let last = { day: '', end: 0 };
  const labels = runs.flatMap(({ run, x }) => {
    const day = new Date(run.started).toDateString();
    // At the right edge a label ends where its day begins.
    const isLast = x > 100 - DAY_WIDTH;
    const begin = isLast ? x - DAY_WIDTH : x;
    if (day === last.day || begin < last.end) return [];
    last = { day, end: begin + DAY_WIDTH };
    const anchor = isLast ? ' text-anchor="end"' : '';
    return [`<text class="label" x="${percent(x)}" y="14"${anchor}>${escape(localDay(run.started))}</text>`];
  });
  return `<svg class="days">${labels.join('')}</svg>`;
}

function legendHtml(t: Translate): string {
  const entries: readonly (readonly [string, string])[] = [
    [shapeOf(sample('deploy', true), 'plain'), t('deployed')],
    [shapeOf(sample('promote', true), 'plain'), t('promoted')],
    [shapeOf(sample('rollback', true), 'plain'), t('rolled back')],
    [shapeOf(sample('deploy', false), 'plain'), t('failed')],
    [shapeOf(sample('hold', true), 'plain'), t('held')],
    [shapeOf(sample('other', true), 'plain'), t('anything else')],
  ];
  return `<p class="legend">${entries
    .map(
      ([shape, word]) =>
        `<span><svg class="sample" viewBox="-8 -8 16 16">${shape}</svg>${escape(word)}</span>`,
    )
    .join(
      '',
    )}</p><p class="legend">${escape(t('The same colour is the same commit. Hover over a mark for what it was.'))}</p>`;
}

function sample(action: string, ok: boolean): HistoryEntry {
  return {
    run: null,
    action,
    started: '',
    ms: null,
    user: '',
    host: '',
    commit: null,
    from_commit: null,
    release: null,
    ok,
    error: null,
    servers: [],
  };
}

function percent(x: number): string {
  return `${x.toFixed(2)}%`;
}

function escape(text: string): string {
  return text
    .split('\n')
    .map(printable)
    .join('\n')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const STYLE = `
body { padding: 12px 24px; color: var(--vscode-foreground); background: var(--vscode-editor-background);
  font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); }
h2 { font-size: 1.1em; font-weight: 600; margin: 16px 0 2px; }
h2 span { font-weight: normal; color: var(--vscode-descriptionForeground); margin-left: 0.6em; }
svg { overflow: visible; }
.lane { width: 100%; height: 42px; display: block; }
.days { width: 100%; height: 20px; display: block; margin-top: 6px;
  border-top: 1px solid var(--vscode-editorIndentGuide-background1, var(--vscode-panel-border)); }
.label { fill: var(--vscode-descriptionForeground); font-size: 0.85em; }
.rail { stroke: var(--vscode-editorIndentGuide-background1, var(--vscode-panel-border)); stroke-width: 1; }
.live { stroke-width: 4; stroke-linecap: butt; }
.mark { stroke: var(--vscode-editor-background); stroke-width: 1.5; }
.failed { stroke: var(--vscode-charts-red); stroke-width: 2.5; fill: none; }
.other { stroke: var(--vscode-foreground); stroke-width: 2; fill: var(--vscode-editor-background); }
line.blue { stroke: var(--vscode-charts-blue); } .mark.blue { fill: var(--vscode-charts-blue); }
line.green { stroke: var(--vscode-charts-green); } .mark.green { fill: var(--vscode-charts-green); }
line.purple { stroke: var(--vscode-charts-purple); } .mark.purple { fill: var(--vscode-charts-purple); }
line.cyan { stroke: var(--vscode-terminal-ansiCyan); } .mark.cyan { fill: var(--vscode-terminal-ansiCyan); }
line.yellow { stroke: var(--vscode-charts-yellow); } .mark.yellow { fill: var(--vscode-charts-yellow); }
.mark.plain { fill: var(--vscode-foreground); }
.legend { color: var(--vscode-descriptionForeground); margin: 14px 0 0; }
.legend span { margin-right: 1.4em; white-space: nowrap; display: inline-block; }
.sample { width: 14px; height: 14px; vertical-align: -2px; margin-right: 0.5em; }
`;
