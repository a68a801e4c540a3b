/**
 * Problem matchers as VS Code's manifest describes them (`contributes.problemMatchers`): what of them finds problems in lines of output.
 * VS Code itself runs them on tasks alone. Pure.
 */

/** One line of a pattern. Numbers are groups of the expression. */
export interface Pattern {
  readonly regexp: RegExp;
  readonly file?: number;
  readonly line?: number;
  readonly column?: number;
  /** `line`, `line,column` or `line,column,endLine,endColumn`. */
  readonly location?: number;
  readonly severity?: number;
  readonly code?: number;
  readonly message?: number;
  /** The last line of a pattern may match any number of lines, one problem each. */
  readonly loop?: boolean;
}

export type Severity = 'error' | 'warning' | 'info';

export interface Matcher {
  /** As a user writes it, without `$`. */
  readonly name: string;
  /** Shown beside a problem: `ts`, `eslint`. */
  readonly source: string;
  /** Where the output says none. */
  readonly severity: Severity;
  /** One for each line of a problem; at least one. */
  readonly patterns: readonly Pattern[];
}

export interface Found {
  /** As it was printed. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; undefined: the whole line. */
  readonly column: number | undefined;
  readonly severity: Severity;
  readonly code: string | undefined;
  readonly message: string;
  readonly source: string;
}

/** What each line of output says, one after the other. */
export type Find = (line: string) => readonly Found[];

/** Looks with all matchers at once; what two of them find in one line counts once. */
export function findWith(matchers: readonly Matcher[]): Find {
  const finders = matchers.map(finderOf);
  return (line) => {
    const plain = line.replaceAll(COLOURS, '').trimEnd();
    return finders.flatMap((find) => find(plain)).slice(0, 1);
  };
}

/** Escape sequences of terminals that say colours. */
const COLOURS = /\u001b\[[0-9;]*m/g;

type Parts = Partial<Record<'file' | 'line' | 'column' | 'severity' | 'code' | 'message', string>>;

function finderOf(matcher: Matcher): Find {
  const { patterns } = matcher;
  // Which pattern comes next, and what those before it have found.
  let next = 0;
  let parts: Parts = {};
  const step = (line: string, index: number, before: Parts): readonly Found[] | undefined => {
    const pattern = patterns[index];
    const match = pattern?.regexp.exec(line);
    if (pattern === undefined || match === null || match === undefined) return undefined;
    const now = { ...before, ...partsOf(pattern, match) };
    const isLast = index === patterns.length - 1;
    next = isLast ? (pattern.loop === true ? index : 0) : index + 1;
    parts = isLast && pattern.loop === true ? before : isLast ? {} : now;
    return isLast ? foundOf(matcher, now) : [];
  };
  return (line) => {
    const going = next === 0 ? undefined : step(line, next, parts);
    if (going !== undefined) return going;
    next = 0;
    parts = {};
    return step(line, 0, {}) ?? [];
  };
}

function partsOf(pattern: Pattern, match: RegExpExecArray): Parts {
  const group = (index: number | undefined): string | undefined =>
    index === undefined ? undefined : match[index];
  const [line, column] = group(pattern.location)?.split(/[,:]/) ?? [];
  const all: Readonly<Record<string, string | undefined>> = {
    file: group(pattern.file),
    line: group(pattern.line) ?? line,
    column: group(pattern.column) ?? column,
    severity: group(pattern.severity),
    code: group(pattern.code),
    message: group(pattern.message),
  };
  return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== undefined));
}

function foundOf({ source, severity }: Matcher, parts: Parts): readonly Found[] {
  const line = Number(parts.line);
  if (parts.file === undefined || parts.message === undefined || !(line > 0)) return [];
  const column = Number(parts.column);
  return [
    {
      file: parts.file.trim(),
      line,
      column: column > 0 ? column : undefined,
      severity: severityOf(parts.severity) ?? severity,
      code: parts.code,
      message: parts.message.trim(),
      source,
    },
  ];
}

function severityOf(word: string | undefined): Severity | undefined {
  if (word === undefined) return undefined;
  if (/^(e|err|error|fatal|fatal error)$/i.test(word)) return 'error';
  if (/^(w|warn|warning)$/i.test(word)) return 'warning';
  return /^(i|info|note|information)$/i.test(word) ? 'info' : undefined;
}
