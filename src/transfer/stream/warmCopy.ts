/** The spare: a checked copy of the live release, made off the user's clock, that the next run turns into its release. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import {
  copyFunctions,
  hashFunctions,
  pathFunctions,
  prologue,
  scanFunction,
  stopSparesFunction,
  type HashTool,
} from './serverFunctions.ts';

export interface WarmCopyRequest {
  readonly projectDir: string;
  /** The live release. */
  readonly release: string;
  readonly run: string;
  readonly hashTool: HashTool;
}

/**
 * sh text: starts one detached process that makes `.durant/spare.<run>` of the live release, and returns at once. Older spares are
 * removed first. Not for `unchanged: link`, which wants no second copy.
 */
export function warmCopyScript(request: WarmCopyRequest): string {
  return [
    '(',
    prologue(request.projectDir, request.hashTool),
    stopSparesFunction,
    parameters({ run: request.run }),
    `stop_spares ''; S=$D/spare.$run; umask 077; mkdir "$S" || exit 1`,
    `cat >"$S/make" <<'DURANT_SPARE_END'`,
    worker(request),
    'DURANT_SPARE_END',
    'run=nohup; command -v setsid >/dev/null 2>&1 && run=setsid; command -v nice >/dev/null 2>&1 && run="nice -n 10 $run"',
    '$run sh "$S/make" </dev/null >/dev/null 2>&1 &',
    ')',
    '',
  ].join('\n');
}

/** sh text: ends a spare in the making and removes every spare, for a run that needs the space. */
export function spareStopScript(projectDir: string): string {
  return ['(', prologue(projectDir, 'sha256sum'), stopSparesFunction, `stop_spares ''`, ')', ''].join('\n');
}

const work = shellFile(import.meta.url, './warmCopy.sh');

/** What the detached process runs. */
export function worker(request: WarmCopyRequest): string {
  return [
    prologue(request.projectDir, request.hashTool),
    parameters({ release: request.release, run: request.run }),
    pathFunctions,
    scanFunction,
    hashFunctions,
    copyFunctions,
    work,
  ].join('\n');
}
