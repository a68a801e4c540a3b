/** A release on a server as an item of the tree. Pure. */
import { isOlder } from '../engine/server/releases.ts';
import { formatAge, shortCommit, type Translate } from '../format.ts';
import { failed, noteOf, type Item, type View } from './item.ts';
import { knownServer, liveRecord, type StageSnapshot } from './store.ts';

export function releaseItem(
  id: string,
  snapshot: StageSnapshot,
  node: { readonly server: string; readonly release: string },
  { now, t }: View,
): Item {
  const known = knownServer(snapshot, node.server);
  const record = known?.releases.find(({ name }) => name === node.release);
  if (record === undefined) return noteOf(id, node.release, 'circle-slash');
  const live = known === undefined ? undefined : liveRecord(known);
  const words = ['release', record.state];
  if (!record.current && (record.state === 'finished' || record.state === 'bad'))
    words.push(live !== undefined && isOlder(live, record) ? 'newer' : 'older');
  if (record.commit !== '') words.push('commit');
  if (record.commit !== '' && live !== undefined && live.commit !== '' && live.commit !== record.commit)
    words.push('comparable');
  const state = record.current ? liveWord(record.unchecked, t) : stateWord(record.state, t);
  const who = record.deployed_by === '' ? [] : [record.deployed_by];
  const age = formatAge(record.finished || record.started, now, t);
  return {
    id,
    label: record.subject === '' ? record.name : record.subject,
    description: [...(state === '' ? [] : [state]), commitText(record.commit, record.name), ...who, age].join(
      ' · ',
    ),
    tooltip: [
      [t('Release'), record.name],
      [
        t('State'),
        record.current ? liveWord(record.unchecked, t) : stateWord(record.state, t) || t('finished'),
      ],
      [t('Commit'), record.commit],
      [t('Subject'), record.subject],
      [t('Author'), record.author],
      [t('Branch'), record.branch],
      [t('Deployed by'), `${record.deployed_by} (${record.from_host})`],
      [t('Started'), record.started],
      [t('Finished'), record.finished],
    ].filter((line): line is [string, string] => line[1] !== '' && line[1] !== ' ()'),
    icon: record.current
      ? { file: 'live' }
      : record.state === 'failed'
        ? failed
        : record.state === 'bad'
          ? { codicon: 'circle-slash' }
          : record.state === 'finished'
            ? { file: 'release' }
            : { codicon: 'watch' },
    expands: 'no',
    context: words.join(' '),
  };
}

function liveWord(unchecked: boolean, t: Translate): string {
  return unchecked ? t('live, unchecked') : t('live');
}

function stateWord(state: string, t: Translate): string {
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
