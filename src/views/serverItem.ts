/** A server of a stage as an item of the tree. Pure. */
import { formatAge, type Translate } from '../format.ts';
import { shareOf, type ServerProgress } from '../report/progress.ts';
import type { LockRecord } from '../engine/index.ts';
import { stepWord } from '../editor/stepWords.ts';
import { failed, warned, type Icon, type Item, type View } from './item.ts';
import { failedProcesses } from './processItem.ts';
import { commitText } from './releaseItem.ts';
import { knownServer, liveOf, liveRecord, type StageSnapshot } from './store.ts';

export function serverItem(id: string, snapshot: StageSnapshot, server: string, view: View): Item {
  const { t, now } = view;
  const known = knownServer(snapshot, server);
  const progress = snapshot.run?.servers.get(server);
  const lock = known?.locked ?? undefined;
  const words = ['server', isLocal(server) ? 'local' : 'remote'];
  if (lock !== undefined && snapshot.run === undefined) words.push('blocked');
  return {
    id,
    label: server,
    description: progress === undefined ? serverSummary(snapshot, server, view) : progressText(progress, t),
    tooltip: [
      [t('Server'), server],
      ...(known?.error === undefined || known.error === null ? [] : [[t('Error'), known.error] as const]),
      ...(known?.asOf === undefined
        ? []
        : [[t('Last reached'), view.localTime(new Date(known.asOf).toISOString())] as const]),
      ...(lock === undefined ? [] : [[t('Locked'), lockText(lock, now, t)] as const]),
    ],
    icon: serverIcon(snapshot, server, progress),
    expands: 'closed',
    context: words.join(' '),
  };
}

function serverIcon(snapshot: StageSnapshot, server: string, progress: ServerProgress | undefined): Icon {
  const known = knownServer(snapshot, server);
  if (progress?.state === 'failed') return failed;
  if (progress?.state === 'running') return { codicon: 'sync~spin' };
  if (snapshot.loading && known === undefined) return { codicon: 'loading~spin' };
  if (known?.error !== undefined && known.error !== null) return failed;
  if (known?.locked !== undefined && known.locked !== null)
    return { codicon: 'lock', color: 'list.warningForeground' };
  if (failedProcesses(snapshot, server).length > 0) return warned;
  return { file: 'server' };
}

/** Only what is not the rule: where all servers agree, the stage says what is live. */
function serverSummary(snapshot: StageSnapshot, server: string, { now, t }: View): string {
  const known = knownServer(snapshot, server);
  if (known === undefined) return '';
  if (known.error !== null) return t('not reached');
  if (known.locked !== null) return t('locked by {0}', lockText(known.locked, now, t));
  const fallen = failedProcesses(snapshot, server);
  if (fallen.length > 0) return t('{0} failed', fallen.join(', '));
  if (known.current === null) return t('nothing deployed yet');
  if (liveOf(snapshot.known).kind !== 'mixed') return '';
  const record = liveRecord(known);
  return t('live: {0}', record === undefined ? known.current : commitText(record.commit, record.name));
}

function progressText({ step, state, transfer }: ServerProgress, t: Translate): string {
  if (state === 'waiting') return t('waiting');
  const word = stepWord(step, t);
  if (state === 'failed') return t('{0} failed', word);
  if (state === 'done') return t('{0} done', word);
  return transfer === undefined ? word : `${word} · ${String(Math.floor(shareOf(transfer) * 100))} %`;
}

function lockText(lock: LockRecord, now: number, t: Translate): string {
  return `${lock.user}@${lock.host} (${lock.action}, ${formatAge(lock.started, now, t)})`;
}

/** A server that is this machine: the rule of config/values/serverEntries.ts. */
export function isLocal(server: string): boolean {
  return ['local', 'localhost', '127.0.0.1'].includes(server);
}
