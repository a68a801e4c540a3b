/**
 * Matchers by name: those of VS Code itself that no manifest has, and those that extensions contribute. Names are as in tasks.json:
 * `$tsc`, `$eslint-stylish`. Pure.
 */
import type { Matcher, Pattern, Severity } from './matcher.ts';

const tsc: Matcher = {
  name: 'tsc',
  source: 'ts',
  severity: 'error',
  patterns: [
    {
      regexp:
        /^([^\s].*?)\((\d+)(?:,(\d+))?(?:,\d+,\d+)?\)\s*:?\s+(error|warning|info)\s+(TS\d+)\s*:\s*(.*)$/,
      file: 1,
      line: 2,
      column: 3,
      severity: 4,
      code: 5,
      message: 6,
    },
  ],
};

/** With `--pretty`: `src/a.ts:1:7 - error TS2322: …`. */
const tscPretty: Matcher = {
  ...tsc,
  patterns: [
    {
      regexp: /^([^\s].*?):(\d+):(\d+)\s+-\s+(error|warning|info)\s+(TS\d+)\s*:\s*(.*)$/,
      file: 1,
      line: 2,
      column: 3,
      severity: 4,
      code: 5,
      message: 6,
    },
  ],
};

const eslintStylish: Matcher = {
  name: 'eslint-stylish',
  source: 'eslint',
  severity: 'warning',
  patterns: [
    { regexp: /^((?:[a-zA-Z]:)*[./\\]+.*?)$/, file: 1 },
    {
      regexp: /^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.+?)(?:\s\s+(.*))?$/,
      line: 1,
      column: 2,
      severity: 3,
      message: 4,
      code: 5,
      loop: true,
    },
  ],
};

const eslintCompact: Matcher = {
  name: 'eslint-compact',
  source: 'eslint',
  severity: 'warning',
  patterns: [
    {
      regexp: /^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$/,
      file: 1,
      line: 2,
      column: 3,
      severity: 4,
      message: 5,
      code: 6,
    },
  ],
};

const gcc: Matcher = {
  name: 'gcc',
  source: 'gcc',
  severity: 'error',
  patterns: [
    {
      regexp: /^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error|note):\s+(.*)$/,
      file: 1,
      line: 2,
      column: 3,
      severity: 4,
      message: 5,
    },
  ],
};

const go: Matcher = {
  name: 'go',
  source: 'go',
  severity: 'error',
  patterns: [
    {
      regexp: /^([^:]*: )?((?:.:)?[^:]*):(\d+)(?::(\d+))?: (.*)$/,
      file: 2,
      line: 3,
      column: 4,
      message: 5,
    },
  ],
};

const BUILT_IN: readonly Matcher[] = [tsc, tscPretty, eslintStylish, eslintCompact, gcc, go];

/** What is looked for where durant.conf names nothing: what can hardly be anything else. */
export const guessed: readonly Matcher[] = [tsc, tscPretty, eslintStylish, eslintCompact, gcc];

/**
 * @param names as durant.conf has them, with or without `$`; unknown ones find nothing.
 * @param manifests of the extensions.
 */
export function matchersNamed(
  names: readonly string[],
  manifests: readonly unknown[],
): { readonly matchers: readonly Matcher[]; readonly unknown: readonly string[] } {
  const all = [...BUILT_IN, ...manifests.flatMap(contributedBy)];
  const bare = names.map((name) => name.replace(/^\$/, ''));
  return {
    matchers: bare.flatMap((name) => all.filter((each) => each.name === name)),
    unknown: bare.filter((name) => all.every((each) => each.name !== name)),
  };
}

function contributedBy(manifest: unknown): readonly Matcher[] {
  const contributes = fieldOf(manifest, 'contributes');
  const patterns = listOf(fieldOf(contributes, 'problemPatterns'));
  return listOf(fieldOf(contributes, 'problemMatchers')).flatMap((each) => {
    const name = textOf(fieldOf(each, 'name'));
    const written = fieldOf(each, 'pattern');
    const named = typeof written === 'string' ? written.replace(/^\$/, '') : undefined;
    const pattern =
      named === undefined ? written : patterns.find((other) => fieldOf(other, 'name') === named);
    const lines = (Array.isArray(pattern) ? pattern : listOf(fieldOf(pattern, 'patterns') ?? [pattern])).map(
      patternOf,
    );
    const sound = lines.filter((line) => line !== undefined);
    if (name === undefined || sound.length === 0 || sound.length < lines.length) return [];
    const severity = textOf(fieldOf(each, 'severity'));
    return [
      {
        name,
        source: textOf(fieldOf(each, 'source')) ?? textOf(fieldOf(each, 'owner')) ?? name,
        severity: (severity === 'warning' || severity === 'info' ? severity : 'error') satisfies Severity,
        patterns: sound,
      },
    ];
  });
}

/** Places without a number are VS Code's defaults: 1 the file, 2 the line, 3 the column, and the last group is the message. */
function patternOf(value: unknown): Pattern | undefined {
  const written = fieldOf(value, 'regexp');
  if (typeof written !== 'string') return undefined;
  let regexp: RegExp;
  try {
    regexp = new RegExp(written);
  } catch {
    return undefined;
  }
  const number = (key: string): Record<string, number> => {
    const field = fieldOf(value, key);
    return typeof field === 'number' ? { [key]: field } : {};
  };
  const keys = ['file', 'line', 'column', 'location', 'severity', 'code', 'message'];
  const given: Record<string, number> = Object.assign({}, ...keys.map(number)) as Record<string, number>;
  const isPlain = Object.keys(given).length === 0;
  return {
    regexp,
    ...(isPlain ? { file: 1, location: 2, message: 3 } : given),
    ...(fieldOf(value, 'loop') === true ? { loop: true } : {}),
  };
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
