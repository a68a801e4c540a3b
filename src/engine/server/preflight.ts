/** What can be known to fail on a server before anything is changed, each with its sentence and its remedy. */
import { DurantError, asDurantError, type ErrorCode } from '../../errors.ts';
import type { Settings } from '../../config/options/options.ts';
import type { Connection } from '../../remote/target.ts';
import { LAYOUTS } from './layout.ts';
import { LAYOUT_VERSION, type ServerFacts } from './serverFacts.ts';
import type { Run } from '../run/run.ts';
import { severalFailures } from '../run/severalFailures.ts';
import type { LockRecord } from './record.ts';

/** @throws {DurantError} the first thing that would stop a deploy to this server. */
export function assessServer(
  server: string,
  facts: ServerFacts,
  settings: Settings,
  connection: Pick<Connection, 'posixRename' | 'user'>,
): void {
  const fail = (code: ErrorCode, summary: string, remedy: string, command?: string): never => {
    throw new DurantError(code, summary, { remedy, command, server });
  };
  const path = settings.project_dir;
  if (facts.obstacle === 'not-a-folder')
    fail(
      'path-not-writable',
      `project_dir ${path} on ${server} is not a folder.`,
      `Remove what stands there or choose another project_dir.`,
    );
  if (facts.obstacle === 'denied')
    fail(
      'permission-denied',
      `The login user ${connection.user} cannot enter project_dir ${path} on ${server}.`,
      `Give it access, or choose another project_dir.`,
    );
  if (facts.obstacle === 'read-only-file-system')
    fail(
      'path-not-writable',
      `project_dir ${path} on ${server} is on a read-only file system.`,
      `Mount it writable, or choose another project_dir.`,
    );
  if (facts.obstacle === 'read-only')
    fail(
      'path-not-writable',
      `The login user ${connection.user} cannot ${facts.exists ? 'write to' : 'create'} project_dir ${path} on ${server}.`,
      facts.exists
        ? `Give it the folder there: chown ${connection.user} ${path}`
        : 'Make it there and give it to that user.',
    );
  const missing = [
    ...(facts.transfer.tar ? [] : ['tar']),
    ...facts.missingTools,
    ...(facts.transfer.hashTool === undefined ? ['sha256sum'] : []),
  ];
  if (missing.length > 0)
    fail(
      'tool-missing',
      `${server} has no ${missing.join(', no ')}.`,
      `Install ${missing.length === 1 ? 'it' : 'them'} there, then try again.`,
    );
  if (facts.layout !== undefined && facts.layout !== LAYOUT_VERSION)
    fail(
      'layout-unsupported',
      `${path} on ${server} has layout version ${facts.layout}, this Durant knows ${LAYOUT_VERSION}.`,
      `Use a newer Durant.`,
    );
  if (!LAYOUTS[settings.strategy].hasReleases) {
    if (facts.managed && !facts.inplace && facts.folders.size > 0)
      fail(
        'unmanaged-project-dir',
        `${path} on ${server} holds the releases of strategy: releases.`,
        `Choose another project_dir for strategy: inplace, or keep strategy: releases.`,
      );
    return;
  }
  if (facts.inplace)
    fail(
      'unmanaged-project-dir',
      `${path} on ${server} was deployed to with strategy: inplace, so its files lie where releases/ would.`,
      `Write strategy: inplace, or choose an empty folder as project_dir.`,
    );
  if (facts.currentIsFolder)
    fail(
      'current-is-folder',
      `${settings.current_path} in ${path} on ${server} is a real folder, not the link that Durant switches.`,
      `Move it away, then deploy again.`,
    );
  if (facts.exists && !facts.managed && facts.foreign !== undefined)
    fail(
      'unmanaged-project-dir',
      `project_dir ${path} on ${server} was not made by Durant and is not empty (it holds ${facts.foreign}).`,
      'Write strategy: inplace to deploy straight into it, choose an empty folder, or take over a Deployer or Capistrano layout',
      'durant adopt',
    );
  if (facts.switchBy === undefined && connection.posixRename === undefined) throw switchUnsupported(server);
}

/** As `assessServer`, for every server of a run. @throws {DurantError} naming all servers that would stop it. */
export function assessServers({ servers, settings }: Pick<Run, 'servers' | 'settings'>): void {
  const failures = servers.flatMap((server) => {
    try {
      assessServer(server.address.entry, server.facts, settings, server.connection);
      return [];
    } catch (thrown) {
      const error = asDurantError(thrown);
      server.error ??= error.message;
      return [error];
    }
  });
  if (failures.length > 0) throw severalFailures(failures, servers.length);
}

/** The error of a server on which a link cannot be replaced in one step. */
export function switchUnsupported(server: string): DurantError {
  return new DurantError(
    'switch-unsupported',
    `${server} offers no way to switch a link atomically (mv -T, mv -h, perl, python3 or SFTP posix-rename were tried).`,
    { remedy: 'Install perl or GNU coreutils there.', server },
  );
}

/** The error of a server that nothing was deployed to. */
export function nothingLive(stage: string, server: string): DurantError {
  return new DurantError('unknown-release', `Nothing is live on ${server}.`, {
    remedy: 'Deploy first',
    command: `durant deploy ${stage}`,
    server,
  });
}

/** The error of a lock that someone else holds. */
export function lockedError(server: string, lock: LockRecord, now: Date): DurantError {
  if (lock.run === '')
    return new DurantError('locked', `${server} has a lock (.durant/lock) that does not say who holds it.`, {
      remedy: 'If no deploy is running, remove it',
      command: 'durant unlock',
      server,
    });
  return new DurantError(
    'locked',
    `${server} is locked by ${lock.user}@${lock.host} for ${age(lock.started, now)} (${lock.action} of ${lock.stage}${lock.message === '' ? '' : `: ${lock.message}`}).`,
    {
      remedy: 'Wait for it (--wait), or, if that run is dead, remove the lock',
      command: `durant unlock ${lock.stage}`,
      server,
    },
  );
}

/** How long ago an ISO date was, in words: `3 minutes`. */
export function age(iso: string, now: Date): string {
  const ms = now.getTime() - Date.parse(iso);
  if (!Number.isFinite(ms)) return 'an unknown time';
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [value, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5400
        ? [Math.round(seconds / 60), 'minute']
        : seconds < 129_600
          ? [Math.round(seconds / 3600), 'hour']
          : [Math.round(seconds / 86_400), 'day'];
  return `${value} ${unit}${value === 1 ? '' : 's'}`;
}
