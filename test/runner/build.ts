/** The bundles that tests start, made again only where a source is newer: a test of one thing shall not wait for them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const bundles = ['dist/cli.cjs', 'dist/program.cjs', 'dist/mcp.cjs', 'dist/engine.cjs', 'dist/extension.cjs'];

/** Works in the checkout's folder. Gives false where the sources cannot be built; esbuild has said why. */
export function buildIfStale(): boolean {
  const built = Math.min(...bundles.map(changed));
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => join('src', name));
  if ([...sources, 'package.json', 'package-lock.json', 'esbuild.mjs'].every((path) => changed(path) < built))
    return true;
  return spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' }).status === 0;
}

/** Milliseconds since the epoch; 0 for what is not there. */
function changed(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
