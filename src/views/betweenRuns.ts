/** What went live between two runs, as Markdown. Pure. */
import type { HistoryEntry } from '../engine/index.ts';
import { formatDuration, shortCommit } from '../format.ts';
import { printable } from '../printable.ts';
import { actionText, commitsText, type RunCommit, type RunNode } from './history.ts';
import type { View } from './item.ts';

export interface Between {
  readonly older: RunNode;
  readonly newer: RunNode;
  /** Newest first; undefined where the clone here does not know them. */
  readonly gained: readonly RunCommit[] | undefined;
  /** That were live before, and are not after. */
  readonly lost: readonly RunCommit[] | undefined;
  /** Runs of the newer one's stage from the older to the newer, newest first. */
  readonly runs: readonly HistoryEntry[];
}

export function betweenText({ older, newer, gained, lost, runs }: Between, view: View): string {
  const { t, localTime } = view;
  const side = ({ name, run }: RunNode): string =>
    `${markdownText(name)} \`${shortCommit(run.commit ?? '')}\` (${localTime(run.started)}, ${markdownText(run.user)})`;
  return [
    `# ${older.name === newer.name ? t('What went live on {0}', markdownText(newer.name)) : t('From {0} to {1}', markdownText(older.name), markdownText(newer.name))}`,
    '',
    `${side(older)} → ${side(newer)}`,
    '',
    `## ${t('Commits')} (${String(gained?.length ?? 0)})`,
    '',
    ...(gained === undefined
      ? [t('The clone here does not have both commits. A dry run fetches them.')]
      : gained.length === 0
        ? [t('None.')]
        : commitLines(gained)),
    ...(lost === undefined || lost.length === 0
      ? []
      : ['', `## ${t('Undone')} (${String(lost.length)})`, '', ...commitLines(lost)]),
    '',
    `## ${t('Runs')} (${String(runs.length)})`,
    '',
    `| ${[t('When'), t('What'), t('Who'), t('Commits'), t('Took')].join(' | ')} |`,
    '| --- | --- | --- | --- | --- |',
    ...runs.map(
      (run) =>
        `| ${[
          localTime(run.started),
          actionText(run, t),
          markdownText(`${run.user}@${run.host}`),
          commitsText(run),
          run.ms === null ? '' : formatDuration(run.ms),
        ].join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

export function commitLines(commits: readonly RunCommit[]): readonly string[] {
  return commits.map(
    ({ id, subject, author }) =>
      `- \`${shortCommit(id)}\` ${markdownText(subject)} — ${markdownText(author.replace(/ <.*$/, ''))}`,
  );
}

/** Names and subjects are other people's texts: nothing of them is Markdown. */
export function markdownText(words: string): string {
  return printable(words).replaceAll(/[\\`*_{}[\]()<>#|!~]/g, String.raw`\$&`);
}
