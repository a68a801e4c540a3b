/** `lock`: one run at a time per project_dir. Taken on all servers before they are worked on (lockServers.ts). */
import { DurantError } from '../../errors.ts';
import { lockOf, type Run } from '../run/run.ts';
import { serverFailure } from '../run/script.ts';
import type { Step, StepContext } from '../run/step.ts';
import { factsRequest } from '../server/connectServers.ts';
import { lockInput, lockScript, seenLock, takeOverScript, type SeenLock } from '../server/lockScripts.ts';
import { age, lockedError } from '../server/preflight.ts';
import { factsQuery, type ServerFacts } from '../server/serverFacts.ts';

export const lock: Step<Run> = {
  name: 'lock',
  async look({ run, server }) {
    const holder = server.facts.lock;
    if (server.ownLock.state === 'held') return { achieved: true, reason: 'this run holds the lock' };
    if (holder === null) return { achieved: false, reason: 'nobody holds the lock' };
    const since = age(holder.started, run.host.now());
    return {
      achieved: false,
      reason: `held by ${holder.user}@${holder.host} for ${since} (${holder.action} of ${holder.stage})`,
    };
  },
  achieve: takeLock,
};

/**
 * Takes the lock of one server, that of a dead run of ours too; from then on its facts are what is true under the lock.
 * @throws {DurantError} `locked`.
 */
export async function takeLock({ run, server, signal }: StepContext): Promise<void> {
  const seen = await deadLock(run, server.facts);
  const dead = seen === undefined ? undefined : (server.facts.lock ?? undefined);
  if (dead !== undefined)
    run.emit({
      event: 'warning',
      code: 'lock-taken-over',
      message: `Taking over the lock of the run ${dead.run} (${dead.action} of ${dead.stage}), which ended without releasing it.`,
      server: server.address.entry,
    });
  // Set before the attempt: if the connection dies under it, the lock may be ours.
  server.ownLock = { state: 'asked' };
  const { project_dir, strategy } = run.settings;
  const facts = factsQuery(factsRequest(run.settings));
  const take =
    seen === undefined
      ? lockScript(project_dir, run.id, strategy)
      : takeOverScript(project_dir, run.id, seen, strategy);
  const result = await server.connection.exec({
    script: `${take}\n${facts.script}`,
    input: lockInput(lockOf(run, '')),
    signal,
  });
  if (result.status !== 0) throw serverFailure(server, result);
  server.facts = facts.parse(result.stdout);
  const answer = result.stdout.toString('utf8', 0, 16).split('\n', 1)[0];
  if (answer === 'taken') {
    server.ownLock = { state: 'held' };
    server.tookOver ??= dead;
    return;
  }
  server.ownLock = { state: 'none' };
  const { entry } = server.address;
  const holder = server.facts.lock;
  throw holder === null
    ? new DurantError('locked', `${entry} was locked by another run a moment ago.`, {
        remedy: 'Deploy again.',
        server: entry,
      })
    : lockedError(entry, holder, run.host.now());
}

/** The lock, where its run and all that began to take it over are ours and dead. */
async function deadLock(run: Run, facts: ServerFacts): Promise<SeenLock | undefined> {
  const seen = seenLock(facts);
  if (seen === undefined) return undefined;
  const isDead = await Promise.all(seen.claims.map((each) => run.journal.isDead(each)));
  return isDead.includes(false) ? undefined : seen;
}
