/** A release of a stage as an item of the tree: one for all servers, and what is otherwise on some of them. Pure. */
import { isOlder } from '../engine/server/releases.ts';
import { formatAge, shortCommit, type Translate } from '../format.ts';
import { failed, noteOf, warned, type Icon, type Item, type View } from './item.ts';
import { liveRecord, type ReleaseKnown, type ServerKnown, type StageSnapshot } from './store.ts';

/** Names of all releases of a stage, newest first. */
export function releaseNames({ known }: Pick<StageSnapshot, 'known'>): readonly string[] {
  const byName = new Map<string, ReleaseKnown>();
  for (const record of (known?.servers ?? []).flatMap(({ releases }) => releases))
    if (!byName.has(record.name)) byName.set(record.name, record);
  return [...byName.values()].sort((a, b) => (isOlder(a, b) ? 1 : -1)).map(({ name }) => name);
}

/** A release on each server that has it; where it is live comes first. */
export function copiesOf(
  { known }: Pick<StageSnapshot, 'known'>,
  name: string,
): readonly { readonly server: ServerKnown; readonly record: ReleaseKnown }[] {
  const copies = (known?.servers ?? []).flatMap((server) =>
    server.releases.filter((record) => record.name === name).map((record) => ({ server, record })),
  );
  return [
    ...copies.filter(({ record }) => record.current),
    ...copies.filter(({ record }) => !record.current),
  ];
}

export function releaseItem(
  id: string,
  snapshot: StageSnapshot,
  release: string,
  { now, t, localTime }: View,
): Item {
  const copies = copiesOf(snapshot, release);
  const [first] = copies;
  if (first === undefined) return noteOf(id, release, 'circle-slash');
  const { record } = first;
  const live = liveRecord(first.server);
  const words = ['release', record.state];
  if (!record.current && (record.state === 'finished' || record.state === 'bad'))
    words.push(live !== undefined && isOlder(live, record) ? 'newer' : 'older');
  if (record.commit !== '') words.push('commit');
  if (record.commit !== '' && live !== undefined && live.commit !== '' && live.commit !== record.commit)
    words.push('comparable');
  const state = stateWord(record, t);
  const age = formatAge(record.finished || record.started, now, t);
  const parts = [age, record.subject, ...exceptions(snapshot, copies, t)];
  return {
    id,
    label: commitText(record.commit, record.name),
    description: parts.filter((part) => part !== '').join(' · '),
    tooltip: [
      [t('Release'), record.name],
      [t('State'), state || t('finished')],
      [t('Commit'), record.commit],
      [t('Subject'), record.subject],
      [t('Author'), record.author],
      [t('Branch'), record.branch],
      [t('Deployed by'), `${record.deployed_by} (${record.from_host})`],
      [t('Started'), localTime(record.started)],
      [t('Finished'), localTime(record.finished)],
      [t('Servers'), copies.map(({ server }) => server.server).join(', ')],
    ].filter((line): line is [string, string] => line[1] !== '' && line[1] !== ' ()'),
    icon: iconOf(record),
    expands: 'no',
    context: words.join(' '),
    ...(state === '' ? {} : { spoken: state }),
  };
}

/** What is not so on every server: where it is missing, and where it is live or failed although it is not elsewhere. */
function exceptions(
  { known }: Pick<StageSnapshot, 'known'>,
  copies: ReturnType<typeof copiesOf>,
  t: Translate,
): readonly string[] {
  const asked = (known?.servers ?? []).filter(({ error, releases }) => error === null || releases.length > 0);
  const names = (some: typeof copies): string => some.map(({ server }) => server.server).join(', ');
  const live = copies.filter(({ record }) => record.current);
  const odd = copies.filter(({ record }) => record.state === 'failed' || record.state === 'bad');
  return [
    ...(live.length > 0 && live.length < asked.length ? [t('live on {0}', names(live))] : []),
    ...(live.length === 0 && copies.length < asked.length ? [t('only on {0}', names(copies))] : []),
    ...(odd.length > 0 && odd.length < copies.length ? [t('not finished on {0}', names(odd))] : []),
  ];
}

function iconOf({ current, unchecked, state }: ReleaseKnown): Icon {
  if (current) return unchecked ? warned : { file: 'live' };
  switch (state) {
    case 'failed':
      return failed;
    case 'bad':
      return { codicon: 'circle-slash' };
    case 'finished':
      return { file: 'release' };
    default:
      return { codicon: 'watch' };
  }
}

function stateWord({ current, unchecked, state }: ReleaseKnown, t: Translate): string {
  if (current) return unchecked ? t('live, unchecked') : t('live');
  switch (state) {
    case 'bad':
      return t('rolled back');
    case 'failed':
      return t('failed');
    case 'preparing':
    case 'prepared':
      return t('unfinished');
    default:
      return '';
  }
}

/** A commit, or what there is instead. */
export function commitText(commit: string, otherwise: string): string {
  return commit === '' ? otherwise : shortCommit(commit);
}
