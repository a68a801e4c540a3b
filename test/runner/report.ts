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

/**
 * Without the totals of tests.
 *
 * @param used processor time of the whole run in milliseconds, where it is known.
 */
export function summary(files: readonly ReportedFile[], used: number | undefined): string {
  const failures = files.flatMap((file) => file.failed.map((what) => `  ${nameOf(file)}: ${what}`));
  const slow = files.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, slowest);
  return [
    ...(failures.length > 0 ? ['Failed:', ...failures] : []),
    ...(files.length > 1
      ? [
          'The slowest files, and the processor time they took:',
          ...slow.map((file) => `${timesOf(file)}  ${nameOf(file)}`),
          `${timesOf(totalOf(files, used))}  all files`,
        ]
      : []),
  ].join('\n');
}

function titleOf(file: ReportedFile): string {
  return `== ${nameOf(file)} (${seconds(file.milliseconds)}, processor ${seconds(file.cpu)})`;
}

function nameOf({ path, round }: ReportedFile): string {
  return round === undefined ? path : `${path}, round ${round}`;
}

function totalOf(files: readonly ReportedFile[], used: number | undefined): Times {
  const sum = (of: (file: ReportedFile) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  return { milliseconds: sum((file) => file.milliseconds), cpu: used ?? sum((file) => file.cpu) };
}

type Times = Pick<ReportedFile, 'milliseconds' | 'cpu'>;

function timesOf({ milliseconds, cpu }: Times): string {
  return `${seconds(milliseconds).padStart(9)} ${seconds(cpu).padStart(9)}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
