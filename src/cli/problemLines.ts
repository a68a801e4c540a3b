/** Problems of durant.conf as compilers print theirs: `file:line:col: severity code: message`. */
import type { ProblemJson } from '../config/syntax/problemJson.ts';
import { count } from '../format.ts';
import type { Colors } from './output.ts';
import { printable, printableLines } from '../printable.ts';

export function problemLines(file: string, problems: readonly ProblemJson[], color: Colors): string[] {
  return problems.map(({ line, column, severity, code, message }) => {
    const place = `${printable(file)}:${String(line)}:${String(column)}`;
    const painted = severity === 'error' ? color.red(severity) : color.yellow(severity);
    return `${place}: ${painted} ${code}: ${printableLines(message).replaceAll('\n', '\n  ')}`;
  });
}

/** `2 errors, 1 warning`. */
export function problemTotals(problems: readonly ProblemJson[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return `${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}`;
}

export function hasErrors(problems: readonly Pick<ProblemJson, 'severity'>[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
