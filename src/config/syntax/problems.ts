/** Problems of a durant.conf: data with a stable code, a range and, where one is safe, quick fixes. */
import type { ConfDocument, Range } from './document.ts';
import { positionAt } from './document.ts';
import { PROBLEM_CODES, type ProblemCode, type Severity } from './problemCodes.ts';

/** A change of the text that removes the problem and harms nothing. */
export interface QuickFix {
  readonly title: string;
  /** Replacements in the text that was parsed; they do not overlap. */
  readonly edits: readonly { readonly range: Range; readonly text: string }[];
}

export interface ProblemData {
  /** What was probably meant. */
  readonly suggestion?: string;
  readonly fixes?: readonly QuickFix[];
  /** Other places that explain it. */
  readonly related?: readonly { readonly range: Range; readonly message: string }[];
  /** The file it is about, as written. */
  readonly path?: string;
  readonly key?: string;
  readonly stage?: string;
  /** Of `wrong-strategy`: the one that the key needs. */
  readonly strategy?: 'releases' | 'inplace';
}

export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  /** A sentence or two, fit to show, with the remedy. */
  readonly message: string;
  readonly range: Range;
  readonly data?: ProblemData;
}

/** A problem with the severity of its code. */
export function problem(code: ProblemCode, range: Range, message: string, data?: ProblemData): Problem {
  const { severity } = PROBLEM_CODES[code];
  return data === undefined ? { code, severity, message, range } : { code, severity, message, range, data };
}

/** A problem as `check --json` and `config --raw --json` print it; lines and columns count from 1, columns in UTF-16 units. */
export interface ProblemJson {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export function toProblemJson(doc: ConfDocument, found: Problem): ProblemJson {
  const start = positionAt(doc, found.range.start);
  const end = positionAt(doc, found.range.end);
  return {
    code: found.code,
    severity: found.severity,
    message: found.message,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}

/** Where the generated reference explains a code. */
export function problemLink(code: ProblemCode): string {
  return `https://github.com/durant-deploy/durant/blob/main/docs/configuration.md#${code}`;
}
