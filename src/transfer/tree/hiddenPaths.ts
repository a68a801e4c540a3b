/** Whether exclude patterns hide a path, as a run would have it, fast enough to ask while typing. */
import type { Facts } from '../../config/rules/validationFacts.ts';
import { createExplainer } from './exclude.ts';

/** `Facts.excludes`, by the patterns alone: what Durant always leaves out is nobody's mistake. Keeps what it worked out. */
export function createHides(): NonNullable<Facts['excludes']> {
  const deciders = new Map<string, (path: string) => boolean>();
  return (patterns, path) => {
    const key = patterns.join('\n');
    let decide = deciders.get(key);
    if (decide === undefined) {
      decide = createDecider(patterns);
      deciders.set(key, decide);
    }
    return decide(path);
  };
}

function createDecider(patterns: readonly string[]): (path: string) => boolean {
  const written = new Set(patterns);
  const explain = createExplainer(patterns);
  const folders = new Map<string, boolean>();
  const known = new Map<string, boolean>();
  const hides = (path: string, isDirectory: boolean): boolean => {
    const by = explain(path, isDirectory);
    return by !== undefined && written.has(by);
  };
  const folderHides = (path: string): boolean => {
    const before = folders.get(path);
    if (before !== undefined) return before;
    const slash = path.lastIndexOf('/');
    const hidden = (slash >= 0 && folderHides(path.slice(0, slash))) || hides(path, true);
    folders.set(path, hidden);
    return hidden;
  };
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    // Patterns match bytes, carried as latin1.
    const bytes = Buffer.from(path, 'utf8').toString('latin1');
    const hidden = hides(bytes, false) || folderHides(bytes);
    known.set(path, hidden);
    return hidden;
  };
}
