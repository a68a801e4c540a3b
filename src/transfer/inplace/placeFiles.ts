/**
 * The transfer of strategy `inplace`, in two round trips: what differs arrives in `.durant` and is checked there; then each file is moved to
 * its place by one rename. Between the two nothing of the project has changed.
 */
import type { DurantError } from '../../errors.ts';
import { enterFolder, parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Connection } from '../../remote/target.ts';
import { failure, readAnswer } from '../stream/answer.ts';
import { ownershipFunction } from './compareFolder.ts';
import type { InplacePlan } from './inplacePlan.ts';
import { hashToolOf, sendLoad, type LoadRequest } from '../stream/load.ts';
import { createManifest, escapePath, serializeManifest } from '../tree/manifest.ts';
import type { TransferFacts } from '../stream/probe.ts';
import type { Tree } from '../tree/scan.ts';
import {
  hashFunctions,
  pathFunctions,
  prologue,
  receiveFunction,
  scanFunction,
} from '../stream/serverFunctions.ts';
import { inProject, type UpdateScript } from '../stream/updateScript.ts';

export interface StageRequest extends LoadRequest {
  readonly projectDir: string;
  readonly run: string;
  readonly plan: InplacePlan;
}

/**
 * Brings what the plan sends into `.durant/incoming.<run>` and checks it there.
 * @throws {DurantError} as the stream's `updateCode`.
 */
export async function stageInplace(request: StageRequest): Promise<void> {
  const { plan, carry } = request;
  const hashTool = hashToolOf(request);
  await sendLoad(request, { send: plan.send, remove: [] }, (decompress) =>
    stageScript({
      projectDir: request.projectDir,
      run: request.run,
      hashTool,
      carrier: carry === undefined ? 'stream' : 'delivered',
      decompress,
      digest: createManifest(plan.send).digest,
      before: carry === undefined ? request.before : '',
    }),
  );
}

const stage = shellFile(import.meta.url, './stageFiles.sh');

export function stageScript(
  script: Pick<
    UpdateScript,
    'projectDir' | 'run' | 'hashTool' | 'carrier' | 'decompress' | 'digest' | 'before'
  >,
): string {
  return [
    prologue(script.projectDir, script.hashTool),
    inProject(script.before, 'before'),
    parameters({
      run: script.run,
      carrier: script.carrier,
      decompress: script.decompress ?? '',
      want: script.digest,
    }),
    pathFunctions,
    scanFunction,
    hashFunctions,
    receiveFunction,
    stage,
  ].join('\n');
}

export interface PlaceRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly run: string;
  /** Name that the tree's manifest is kept under. */
  readonly release: string;
  readonly tree: Tree;
  readonly plan: InplacePlan;
  readonly facts: TransferFacts;
  /** sh text for project_dir that runs before anything is put in place. */
  readonly before: string;
  readonly signal: AbortSignal;
}

/** How it ended. Not begun: `before` failed, and everything is as it was. */
export type Placing =
  { readonly kind: 'placed' } | { readonly kind: 'not-begun' | 'failed'; readonly error: DurantError };

/**
 * Puts what was staged in place, file by file, then removes what the plan deletes, and notes what Durant has put there. A failure half way
 * has `changed` set and says how far it came.
 * @throws {DurantError} those of `Connection.exec`.
 */
export async function placeInplace(request: PlaceRequest): Promise<Placing> {
  const { connection, plan } = request;
  const result = await connection.exec({
    script: placeScript(request),
    input: instructions(request),
    signal: request.signal,
  });
  const answer = readAnswer(result.stdout);
  if (answer.isDone) return { kind: 'placed' };
  const server = connection.address.entry;
  const left = /^transfer\.left=\s*(\d+)$/m.exec(result.stdout.toString('latin1'))?.[1];
  const cause = failure(server, result, answer.failed);
  if (answer.failed === 'before') return { kind: 'not-begun', error: cause };
  if (left === undefined) return { kind: 'failed', error: cause };
  const placed = plan.sendFiles - Number(left);
  const error = cause.with({
    summary: `${String(placed)} of ${String(plan.sendFiles)} files were put into project_dir on ${server} before it failed; the others are as they were. The next deploy completes it, a rollback takes it back. ${cause.summary}`,
    changed: true,
  });
  return { kind: 'failed', error };
}

/** Lines `LETTER PATH`, then the manifest behind an empty line. */
function instructions({ plan, tree }: PlaceRequest): Buffer {
  const lines = (letter: string, paths: readonly string[]): string =>
    paths.map((path) => `${letter} ${escapePath(path)}\n`).join('');
  const text = [
    lines('l', plan.linkedInside),
    lines('c', plan.clear),
    lines('o', plan.obstacles),
    lines('m', plan.folders),
    lines('d', plan.deletions),
    lines('r', plan.emptied),
    '\n',
  ].join('');
  return Buffer.concat([Buffer.from(text, 'latin1'), serializeManifest(tree.manifest)]);
}

const place = shellFile(import.meta.url, './placeFiles.sh');

export function placeScript(
  request: Pick<PlaceRequest, 'projectDir' | 'run' | 'release' | 'before'> & {
    readonly facts: Pick<PlaceRequest['facts'], 'hashTool'>;
    readonly plan: Pick<PlaceRequest['plan'], 'sendFiles'>;
  },
): string {
  return [
    prologue(request.projectDir, request.facts.hashTool ?? 'sha256sum'),
    inProject(request.before, 'before'),
    parameters({ run: request.run, release: request.release, count: request.plan.sendFiles }),
    pathFunctions,
    scanFunction,
    ownershipFunction,
    enterFolder(),
    place,
  ].join('\n');
}
