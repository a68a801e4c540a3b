/** `exclude`: rsync's patterns with rsync's matching (FILTER RULES in rsync(1)), so that every transfer leaves the same files out. */
import { compileWildcards } from './wildmatch.ts';

/** Left out of every tree, at any depth; a `+ ` pattern of the user's comes before them and may bring one back. */
export const defaultExcludes: readonly string[] = ['.git', '.gitignore', '.gitmodules', '.gitkeep'];
/** Never sent, whatever the patterns say. */
export const neverSent: readonly string[] = ['/.durant', '/durant.conf'];

/** Whether a path is left out; rsync does not descend into an excluded folder, so callers must not either. */
export type Excluder = (path: string, isDirectory: boolean) => boolean;

/**
 * Builds the test for `exclude`. Patterns are text as written in durant.conf; paths are bytes as latin1 strings, relative to the
 * root of the tree that is sent.
 */
export function createExcluder(patterns: readonly string[]): Excluder {
  const decide = createDecider(patterns);
  return (path, isDirectory) => isNeverSent(path) || decide(path, isDirectory)?.include === false;
}

/** Like `createExcluder`, but says which pattern leaves the path out, as written; undefined: it is sent. */
export function createExplainer(
  patterns: readonly string[],
): (path: string, isDirectory: boolean) => string | undefined {
  const decide = createDecider(patterns);
  return (path, isDirectory) => {
    if (isNeverSent(path)) return `/${path}`;
    const rule = decide(path, isDirectory);
    return rule?.include === false ? rule.written : undefined;
  };
}

/** The ordered list that makes rsync itself leave out the same: each an argument of `--exclude`. */
export function rsyncExcludes(patterns: readonly string[]): readonly string[] {
  // A user's `!` empties the list so far, hence the second time.
  return [...neverSent, ...patterns, ...defaultExcludes, ...neverSent];
}

interface Rule {
  readonly written: string;
  readonly include: boolean;
  readonly matches: (path: string, isDirectory: boolean) => boolean;
}

function isNeverSent(path: string): boolean {
  return path === '.durant' || path === 'durant.conf';
}

/** First match wins. */
function createDecider(
  patterns: readonly string[],
): (path: string, isDirectory: boolean) => Rule | undefined {
  const rules = readRules([...patterns, ...defaultExcludes]);
  return (path, isDirectory) => rules.find((rule) => rule.matches(path, isDirectory));
}

function readRules(patterns: readonly string[]): Rule[] {
  let rules: Rule[] = [];
  for (const written of patterns) {
    if (written === '!') {
      rules = [];
      continue;
    }
    const prefixed = written.startsWith('+ ') || written.startsWith('- ');
    const text = Buffer.from(prefixed ? written.slice(2) : written, 'utf8').toString('latin1');
    if (text === '') continue;
    rules.push({ written, include: written.startsWith('+ '), matches: createMatcher(text) });
  }
  return rules;
}

function createMatcher(text: string): (path: string, isDirectory: boolean) => boolean {
  const directoryOnly = text.length > 1 && text.endsWith('/');
  const pattern = directoryOnly ? text.slice(0, -1) : text;
  const matches = createPathMatcher(pattern);
  return (path, isDirectory) => (isDirectory || !directoryOnly) && matches(path, isDirectory);
}

function createPathMatcher(pattern: string): (path: string, isDirectory: boolean) => boolean {
  const slashes = pattern.split('/').length - 1;
  const anchored = pattern.startsWith('/');
  const body = anchored ? pattern.slice(1) : pattern;
  const isWild = /[*[?]/.test(pattern);
  const crossesFolders = isWild && pattern.includes('**');

  if (!isWild) {
    if (anchored) return (path) => path === body;
    // Also for a pattern with slashes: it must be the last components of the path.
    return (path) => path === body || path.endsWith(`/${body}`);
  }
  const matches = compileWildcards(body);
  if (!crossesFolders) {
    if (anchored) return (path) => matches(path);
    return (path) => {
      const tail = lastComponents(path, slashes + 1);
      return tail !== undefined && matches(tail);
    };
  }
  // A final `***` matches the folder itself as well as what is in it: the folder's path gets a slash.
  const withFolder = pattern.endsWith('***');
  const subject = (path: string, isDirectory: boolean): string =>
    withFolder && isDirectory ? `${path}/` : path;
  if (pattern.startsWith('**')) return (path, isDirectory) => matches(`/${subject(path, isDirectory)}`);
  if (anchored) return (path, isDirectory) => matches(subject(path, isDirectory));
  // An unanchored pattern with `**` inside is tried from the start and after every slash.
  return (path, isDirectory) => {
    const whole = subject(path, isDirectory);
    for (let start = 0; ;) {
      if (matches(whole.slice(start))) return true;
      const slash = whole.indexOf('/', start);
      if (slash < 0) return false;
      start = slash + 1;
    }
  };
}

/** The last `count` components of a path; undefined where it has fewer. */
function lastComponents(path: string, count: number): string | undefined {
  let start = path.length;
  for (let left = count; left > 0; left -= 1) {
    if (start < 0) return undefined;
    start = path.lastIndexOf('/', start - 1);
  }
  return path.slice(start + 1);
}
