/** Problems of a durant.conf: data with a stable code, a range and, where one is safe, quick fixes. */
import { PROBLEM_CODES, type ProblemCode, type Severity } from './problemCodes.ts';
import type { Range } from './range.ts';

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

/** Where the generated reference explains a code. */
export function problemLink(code: ProblemCode): string {
  return `https://github.com/durant-deploy/durant/blob/main/docs/configuration.md#${code}`;
}
