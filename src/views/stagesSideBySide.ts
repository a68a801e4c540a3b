/** Two stages side by side, as Markdown: what is live, whose commits, which files, which options. Pure. */
import { OPTIONS, type OptionTable } from '../config/options/options.ts';
import { withoutSecrets } from '../config/secretNames.ts';
import { parseConf } from '../config/syntax/parse.ts';
import { configJson, resolveStage } from '../config/values/stage.ts';
import { formatAge, shortCommit, type Translate } from '../format.ts';
import { commitLines, markdownText } from './betweenRuns.ts';
import type { RunCommit } from './history.ts';
import type { View } from './item.ts';
import type { ReleaseKnown } from './store.ts';

export interface Side {
  readonly name: string;
  /** What is live, where it is one release. */
  readonly live: ReleaseKnown | undefined;
  /** Commits that the other has not, newest first; undefined where the clone here does not know them. */
  readonly commits: readonly RunCommit[] | undefined;
}

export interface SideBySide {
  readonly left: Side;
  readonly right: Side;
  /** What differs from the left one's commit to the right one's. */
  readonly files: readonly { readonly path: string; readonly kind: 'added' | 'changed' | 'deleted' }[];
  readonly options: readonly OptionDifference[];
}

export interface OptionDifference {
  readonly key: string;
  /** As written, secrets hidden; undefined where it has none. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/** More files than this are counted. */
const MOST_FILES = 300;

/** The options whose values differ, in the order of the reference. Resolvers are as they are written: nothing is run. */
export function optionDifferences(text: string, left: string, right: string): readonly OptionDifference[] {
  const doc = parseConf(text);
  const [a, b] = [left, right].map((stage) => configJson(resolveStage(doc, stage)).options);
  return Object.keys(OPTIONS).flatMap((key) => {
    const [ours, theirs] = [a?.[key]?.value, b?.[key]?.value];
    if (JSON.stringify(ours) === JSON.stringify(theirs)) return [];
    return [{ key, left: shown(key, ours), right: shown(key, theirs) }];
  });
}

function shown(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const table: OptionTable = OPTIONS;
  const texts = (Array.isArray(value) ? value : [value]).map(String);
  if (table[key]?.secret === true && !texts.every((text) => text === '')) return '***';
  return texts.map(withoutSecrets).join('\n');
}

export function sideBySideText({ left, right, files, options }: SideBySide, view: View): string {
  const { t } = view;
  const names = [left.name, right.name].map(markdownText);
  const row = (label: string, of: (side: Side) => string): string =>
    `| ${label} | ${of(left)} | ${of(right)} |`;
  return [
    `# ${t('{0} and {1}', names[0] ?? '', names[1] ?? '')}`,
    '',
    `| | ${names.join(' | ')} |`,
    '| --- | --- | --- |',
    row(t('Live'), ({ live }) => liveText(live, view)),
    row(t('Deployed by'), ({ live }) =>
      live === undefined
        ? ''
        : `${markdownText(live.deployed_by)}, ${formatAge(live.finished || live.started, view.now, t)}`,
    ),
    ...[left, right].flatMap((side) => ['', ...commitSection(side, t)]),
    '',
    `## ${t('Files')} (${String(files.length)})`,
    '',
    ...(files.length === 0 ? [t('None.')] : fileLines(files, t)),
    '',
    `## ${t('Options')} (${String(options.length)})`,
    '',
    ...(options.length === 0
      ? [t('None.')]
      : [
          `| | ${names.join(' | ')} |`,
          '| --- | --- | --- |',
          ...options.map(
            ({ key, left: ours, right: theirs }) => `| \`${key}\` | ${cell(ours)} | ${cell(theirs)} |`,
          ),
        ]),
    '',
  ].join('\n');
}

function liveText(live: ReleaseKnown | undefined, { t }: View): string {
  if (live === undefined) return t('not one release');
  return `\`${shortCommit(live.commit)}\` ${markdownText(live.subject)}`.trim();
}

function commitSection({ name, commits }: Side, t: Translate): readonly string[] {
  return [
    `## ${t('Commits only on {0}', markdownText(name))} (${String(commits?.length ?? 0)})`,
    '',
    ...(commits === undefined
      ? [t('The clone here does not have both commits. A dry run fetches them.')]
      : commits.length === 0
        ? [t('None.')]
        : commitLines(commits)),
  ];
}

function fileLines(files: SideBySide['files'], t: Translate): readonly string[] {
  const words = { added: t('added'), changed: t('changed'), deleted: t('deleted') };
  const rest = files.length - MOST_FILES;
  return [
    ...files.slice(0, MOST_FILES).map(({ path, kind }) => `- ${words[kind]}: ${markdownText(path)}`),
    ...(rest > 0 ? [`- ${t('… and {0} more', rest)}`] : []),
  ];
}

function cell(value: string | undefined): string {
  if (value === undefined || value === '') return '—';
  return value.split('\n').map(markdownText).join('<br>');
}
