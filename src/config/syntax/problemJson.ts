/** Problems of a durant.conf as JSON. */
import { positionAt, type ConfDocument } from './document.ts';
import type { Severity } from './problemCodes.ts';
import type { Problem } from './problems.ts';

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
