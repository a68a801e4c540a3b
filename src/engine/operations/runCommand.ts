/** `run`: a command in the live release of every server, at most `parallel` at once. One server's failure hides no other, and ends none. */
import { DurantError, asDurantError } from '../../errors.ts';
import type { ServerAddress } from '../../remote/target.ts';
import { runInLive } from '../app/liveCommand.ts';
import { onServer } from '../app/openApp.ts';
import type { Emit, RunFinished, ServerOutcome } from '../events.ts';
import type { Host } from '../ports.ts';
import { maskedEmit } from '../run/emit.ts';
import { inParallel } from '../run/parallel.ts';
import { runError } from '../run/outcome.ts';
import { newRunId, type StageRequest } from '../run/run.ts';
import { severalFailures } from '../run/severalFailures.ts';

export interface RunCommandRequest extends StageRequest {
  /** POSIX sh text. */
  readonly command: string;
}

/** A server, and how the command ended there. */
interface Target {
  readonly address: ServerAddress;
  release: string | null;
  status: number | null;
  /** Why the command did not come to its end. */
  failure: DurantError | undefined;
}

/**
 * Runs it with the environment that `app exec` has; standard input is empty. It takes no lock. Never throws: how it ended is the last
 * event, which is returned too.
 */
export async function runCommand(
  request: RunCommandRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const { servers, stage, settings, command } = request;
  const masked = maskedEmit(emit, request.secrets);
  masked.emit({
    event: 'run-started',
    action: 'run',
    run: newRunId(host.now(), host.randomId()),
    stage,
    dry_run: false,
    servers: servers.map(({ entry }) => entry),
  });
  const targets = servers.map((address): Target => ({
    address,
    release: null,
    status: null,
    failure: undefined,
  }));
  const work = async (target: Target, stop: AbortSignal): Promise<void> => {
    const server = target.address.entry;
    const parts = { request, host, emit: masked.emit, signal: stop };
    target.status = await onServer(parts, target.address, (opened) => {
      target.release = opened.facts.live;
      masked.addSecrets(opened.secrets);
      return runInLive(request, opened, {
        command,
        onOutput: (stream, line) => masked.emit({ event: 'output', server, stream, line }),
        signal: stop,
      });
    });
  };
  let failure: DurantError | undefined;
  try {
    await inParallel(targets, settings.parallel, signal, (target, stop) =>
      work(target, stop).catch((thrown: unknown) => {
        const error = asDurantError(thrown);
        target.failure = error.with({ server: target.address.entry });
        if (error.code === 'cancelled') throw error;
      }),
    );
    failure = failureOf(targets);
  } catch (thrown) {
    failure = asDurantError(thrown);
  }
  const finished: RunFinished = {
    event: 'run-finished',
    ok: failure === undefined,
    dry_run: false,
    release: null,
    commit: null,
    servers: targets.map(outcomeOf),
    error: failure === undefined ? null : runError(failure, masked.mask),
  };
  masked.emit(finished);
  return finished;
}

function outcomeOf({ address, release, status, failure }: Target): ServerOutcome {
  const notEnded = failure?.message ?? 'It was not begun.';
  return {
    server: address.entry,
    state: status === 0 ? 'unchanged' : 'failed',
    current: release,
    error: status === 0 ? null : status === null ? notEnded : `exit status ${status}`,
    exit_status: status,
  };
}

/** Undefined where it ended with 0 on every server. */
function failureOf(targets: readonly Target[]): DurantError | undefined {
  const failed = targets.filter(({ status }) => status !== 0);
  const notRun = failed.flatMap(({ failure }) => failure ?? []);
  if (failed.length === 0) return undefined;
  if (failed.length === notRun.length) return severalFailures(notRun, targets.length);
  const named = failed.map(
    ({ address, status }) => `${address.entry} (${status === null ? 'not run' : `exit status ${status}`})`,
  );
  return new DurantError(
    'remote-command-failed',
    `The command failed on ${failed.length} of ${targets.length} servers: ${named.join(', ')}.`,
    {
      remedy: 'Read what it printed there, then run it again.',
      output: notRun.map(({ message }) => message).join('\n'),
    },
  );
}
