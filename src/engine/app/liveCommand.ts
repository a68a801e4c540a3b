/** A shell command in the live release of a server, with its environment; what it prints comes line by line, without secrets. */
import type { Readable } from 'node:stream';
import { quote } from '../../remote/shell.ts';
import { outputLines, type OutputStream } from '../run/outputLines.ts';
import type { StageRequest } from '../run/run.ts';
import { exports } from '../run/script.ts';
import { LAYOUTS } from '../server/layout.ts';
import { nothingLive } from '../server/preflight.ts';
import { sourceEnvironment } from '../steps/envFile.ts';
import type { Opened } from './openApp.ts';

export interface LiveCommand {
  /** POSIX sh text. */
  readonly command: string;
  /** What it reads from standard input; undefined: nothing. */
  readonly input?: Readable | undefined;
  /** A line, or a piece of a long one; `lineEnd` is what followed, '' for nothing. */
  readonly onOutput: (stream: OutputStream, line: string, lineEnd: string) => void;
  readonly signal: AbortSignal;
}

/** @returns its exit status. @throws {DurantError} `unknown-release` where nothing is live. */
export async function runInLive(
  { stage, settings }: StageRequest,
  { connection, facts, mask }: Opened,
  { command, input, onOutput, signal }: LiveCommand,
): Promise<number> {
  const { address } = connection;
  const { hasReleases, releaseFolder } = LAYOUTS[settings.strategy];
  if (facts.live === null && hasReleases) throw nothingLive(stage, address.entry);
  const live = facts.records.find(({ name }) => name === facts.live);
  const folder = releaseFolder(facts.project, facts.live ?? '');
  const env = {
    ...settings.env,
    DURANT_STAGE: stage,
    DURANT_RELEASE: facts.live ?? '',
    DURANT_RELEASE_PATH: folder,
    DURANT_COMMIT: live?.commit ?? '',
    DURANT_BRANCH: live?.branch ?? '',
    DURANT_SERVER: address.entry,
  };
  const lines = outputLines(mask, (stream, line, lineEnd) => onOutput(stream, mask(line), lineEnd));
  const { status } = await connection.exec({
    script: `${sourceEnvironment(facts.project, facts.live ?? '')}${exports(env)}\ncd ${quote(folder)} || exit 1\n${command}`,
    ...(input === undefined ? {} : { input }),
    signal,
    onOutput: lines.write,
  });
  lines.end();
  return status;
}
