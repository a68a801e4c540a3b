/**
 * `.durant/rollback`: what a rollback goes to, written on each server before its switch and removed with the marks at its end. While it
 * names what is live there, that rollback is not finished: the next one finishes it instead of going one further.
 */
import { quote } from '../../remote/shell.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { unfinishedRecord } from '../server/lockScripts.ts';
import {
  formatPendingRollback,
  recordLine,
  type PendingRollback,
  type ReleaseRecord,
} from '../server/record.ts';
import type { ServerRun } from './run.ts';

const file = '.durant/rollback';

/** Script, run in project_dir, that notes what a rollback is about to switch to. */
export function notePendingRollback(pending: PendingRollback): string {
  return `printf %s ${quote(formatPendingRollback(pending))} > ${unfinishedRecord} && mv -f ${unfinishedRecord} ${file} || exit 1`;
}

/** Script that forgets it. */
export const forgetPendingRollback = `rm -f ${file}`;

/** Script that forgets it where it is not about this release, which is live again. */
export function forgetOtherPendingRollback(live: string): string {
  return `grep -qxF ${quote(recordLine('release', live))} ${file} 2>/dev/null || rm -f ${file}`;
}

/** The rollback that has switched this server and was not finished. */
export function pendingRollback(facts: Pick<ServerFacts, 'live' | 'rollback'>): PendingRollback | undefined {
  return facts.rollback?.release === facts.live ? facts.rollback : undefined;
}

/** What an unfinished rollback of these servers goes to, where every one of them has it. */
export function pendingTarget(servers: readonly ServerRun[]): ReleaseRecord | undefined {
  const names = new Set(servers.flatMap(({ facts }) => pendingRollback(facts)?.release ?? []));
  return servers[0]?.facts.records.find(
    ({ name }) =>
      names.has(name) &&
      servers.every(({ facts }) =>
        facts.records.some(
          (record) => record.name === name && (record.state === 'finished' || record.state === 'bad'),
        ),
      ),
  );
}
