/** What a run prints: each file's output in one block, and at the end what failed, what was slow, and the totals. */
import type { FileOutcome } from './runFile.ts';

export interface ReportedFile extends FileOutcome {
  readonly path: string;
  /** From 1; undefined where each file runs once. */
  readonly round: number | undefined;
}

const slowest = 10;

/** A file's output under its name; of a file that runs again and again only where it failed. */
export function fileBlock(file: ReportedFile): string {
  const { failed, output, passed, round } = file;
  if (round !== undefined && failed.length === 0) return `${titleOf(file)}: ${passed} passed`;
  return [`${titleOf(file)}`, output.trimEnd(), ...failed.map((what) => `  failed: ${what}`), ''].join('\n');
}

/** Without the totals. */
export function summary(files: readonly ReportedFile[]): string {
  const failures = files.flatMap((file) => file.failed.map((what) => `  ${nameOf(file)}: ${what}`));
  const slow = files.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, slowest);
  return [
    ...(failures.length > 0 ? ['Failed:', ...failures] : []),
    ...(files.length > 1
      ? ['The slowest files:', ...slow.map((file) => `${seconds(file).padStart(9)}  ${nameOf(file)}`)]
      : []),
  ].join('\n');
}

function titleOf(file: ReportedFile): string {
  return `== ${nameOf(file)} (${seconds(file)})`;
}

function nameOf({ path, round }: ReportedFile): string {
  return round === undefined ? path : `${path}, round ${round}`;
}

function seconds({ milliseconds }: ReportedFile): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
