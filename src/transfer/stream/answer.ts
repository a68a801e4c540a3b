/** How a transfer ended, as the server's script tells it, and the error that it means. */
import { DurantError } from '../../errors.ts';
import { diskFull, saysDiskFull } from '../../remote/diskFull.ts';
import type { RemoteResult } from '../../remote/target.ts';
import { unescapePath } from '../tree/manifest.ts';

/** What the server says of a transfer: lines `transfer.KEY=value`. */
export interface Answer {
  readonly isDone: boolean;
  readonly base: string | undefined;
  readonly failed: string | undefined;
  readonly drift: readonly string[];
}

export function readAnswer(stdout: Buffer): Answer {
  const lines = stdout.toString('latin1').split('\n');
  const value = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`transfer.${key}=`))?.slice(`transfer.${key}=`.length);
  const driftKey = 'transfer.drift=';
  return {
    isDone: value('done') === 'yes',
    base: value('base'),
    failed: value('failed'),
    drift: lines
      .filter((line) => line.startsWith(driftKey))
      .map((line) => unescapePath(line.slice(driftKey.length))),
  };
}

const stages: Readonly<Record<string, string>> = {
  before: 'it could not be started',
  after: 'it could not be completed',
  folder: 'its folders could not be made',
  base: 'the live release could not be copied',
  stream: 'the stream could not be unpacked',
  apply: 'the changes could not be put in place',
  look: 'what arrived could not be inspected',
  finish: 'its record could not be written',
};

export function failure(server: string, result: RemoteResult, failed: string | undefined): DurantError {
  const said = result.stderr.toString('utf8').trim().split('\n').slice(-10).join('\n');
  if (saysDiskFull(said)) return diskFull(server, said);
  if (
    /(tar|awk|xargs|zstd|gzip|sort|readlink|find)[^\n]*(not found|No such file or directory$)/m.test(said) &&
    result.status === 127
  )
    return new DurantError('tool-missing', `A tool is missing on ${server}.`, {
      remedy: 'Install it there, then deploy again.',
      server,
      output: said,
    });
  if (failed === 'verify')
    return new DurantError(
      'verification-failed',
      `What arrived on ${server} is not what was sent, so it was not made live.`,
      { remedy: "Deploy again, and check that server's disk if it happens twice.", server, output: said },
    );
  const stage = stages[failed ?? ''] ?? `a script ended with status ${result.status.toString()}`;
  return new DurantError('remote-command-failed', `The release could not be made on ${server}: ${stage}.`, {
    remedy: 'Correct that there, then deploy again.',
    server,
    output: said,
  });
}
