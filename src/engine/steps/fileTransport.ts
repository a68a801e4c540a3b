/**
 * Which transfer brings files to a server: the stream of its own, or the real rsync on both ends. `transfer: auto` is the stream, but
 * where a large file has changed: of that rsync sends only what differs.
 */
import { throwIfCancelled } from '../../errors.ts';
import { carryByRsync, assertRsync, landingScript, type RsyncHere } from '../../transfer/rsync/rsync.ts';
import type { Change, Plan } from '../../transfer/tree/plan.ts';
import type { TreeEntry } from '../../transfer/tree/scan.ts';
import { quote } from '../../remote/shell.ts';
import { emitChange } from '../run/changeEvents.ts';
import type { Host } from '../ports.ts';
import type { BuiltRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { StepContext } from '../run/step.ts';

/** From this size on a changed file is worth the round trips of asking for rsync, and of its algorithm. */
const LARGE_BYTES = 4_000_000;

/** Brings entries of the tree into `.durant/incoming.<run>/in/tree`, after running `before` in project_dir. */
export type Carry = (load: {
  readonly entries: readonly TreeEntry[];
  readonly before: string;
}) => Promise<void>;

/** @throws {DurantError} `local-tool-missing`, `tool-missing` where the stage wants rsync and an end has none that fits. */
export async function assessCarrier({ run, server, signal }: StepContext): Promise<void> {
  if (run.settings.transfer === 'rsync') await assertRsync(rsyncHere(run.host), server.connection, signal);
}

/**
 * What carries in place of the stream; undefined for the stream itself.
 * @param options.basis folder below project_dir whose files rsync builds on.
 */
export async function carrierOf(
  context: StepContext<BuiltRun>,
  options: {
    readonly plan: Pick<Plan, 'changes'>;
    readonly basis: { readonly how: 'copy' | 'link'; readonly folder: string } | undefined;
    readonly onProgress: (files: number, bytes: number) => void;
  },
): Promise<Carry | undefined> {
  const { run, server, signal } = context;
  if (!(await isByRsync(context, options))) return undefined;
  const changes = new Map(options.plan.changes.map((change) => [change.path, change]));
  const { project } = server.facts;
  return async ({ entries, before }) => {
    const destination = await land(context, before);
    await carryByRsync({
      connection: server.connection,
      rsync: rsyncHere(run.host),
      root: run.tree.root,
      entries,
      destination,
      basis:
        options.basis === undefined
          ? undefined
          : { how: options.basis.how, folder: `${project}/${options.basis.folder}` },
      prelude: `cd ${quote(project)} || exit 1\n`,
      signal,
      timeoutMs: run.settings.command_timeout,
      onProgress: ({ files, bytes }) => options.onProgress(files, bytes),
      onItem: (path) => tell(changes.get(path)),
    });
    // What rsync did not itemise: deletions, and what it found on the server as it has to be.
    for (const change of changes.values()) tell(change);
  };

  function tell(change: Change | undefined): void {
    if (change === undefined || !changes.delete(change.path)) return;
    if (run.settings.transfer === 'rsync') emitChange(run, server, change);
  }
}

/** Makes the folder on the server that takes what is carried there, after running `before` in project_dir. @returns its absolute path. */
export async function land({ run, server, signal }: StepContext, before: string): Promise<string> {
  const { project } = server.facts;
  const first = before === '' ? '' : `( ${before}\n) || exit 1\n`;
  await runScript(server, `${first}${landingScript(project, run.id)}`, { signal });
  return `${project}/.durant/incoming.${run.id}/in/tree`;
}

/** Removes it again, also while a program that is just being ended still writes into it. Never fails: what is left, the next run removes. */
export async function removeLanded({ run, server }: StepContext): Promise<void> {
  const folder = quote(`.durant/incoming.${run.id}/in`);
  const script = `cd ${quote(server.facts.project)} && i=0 && until rm -rf ${folder} 2>/dev/null || [ $i -ge 100 ]; do i=$((i+1)); sleep 0.05 2>/dev/null || sleep 1; done`;
  await server.connection.exec({ script, signal: AbortSignal.timeout(15_000) }).catch(() => undefined);
}

async function isByRsync(
  { run, server, signal }: StepContext,
  { plan, basis }: Pick<Parameters<typeof carrierOf>[1], 'plan' | 'basis'>,
): Promise<boolean> {
  const { transfer } = run.settings;
  if (transfer !== 'auto') return transfer === 'rsync';
  if (basis === undefined || server.address.local) return false;
  if (!plan.changes.some(({ kind, bytes }) => kind === 'changed' && bytes >= LARGE_BYTES)) return false;
  try {
    await assertRsync(rsyncHere(run.host), server.connection, signal);
    return true;
  } catch {
    throwIfCancelled(signal);
    return false;
  }
}

export function rsyncHere({ rsyncPath, cli, env }: Pick<Host, 'rsyncPath' | 'cli' | 'env'>): RsyncHere {
  return { program: rsyncPath ?? 'rsync', cli, env: { ...env } };
}
