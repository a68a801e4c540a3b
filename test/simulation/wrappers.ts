/** Commands that stand before the real ones on the PATH, so that what xargs, find and pipelines start meets them too. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** All that the engine's scripts call. */
export const ALL = [
  ...[
    'awk',
    'basename',
    'cat',
    'chgrp',
    'chmod',
    'chown',
    'cmp',
    'cp',
    'cut',
    'date',
    'df',
    'dirname',
    'env',
    'expr',
  ],
  ...[
    'find',
    'grep',
    'gzip',
    'head',
    'id',
    'ln',
    'ls',
    'mkdir',
    'mktemp',
    'mv',
    'readlink',
    'rm',
    'rmdir',
    'sed',
  ],
  ...['sha256sum', 'sort', 'stat', 'sync', 'tail', 'tar', 'touch', 'tr', 'uniq', 'wc', 'xargs', 'zstd'],
];

/** Those that change something themselves. */
export const CHANGING = [
  'chmod',
  'chown',
  'cp',
  'ln',
  'mkdir',
  'mktemp',
  'mv',
  'rm',
  'rmdir',
  'sync',
  'tar',
  'touch',
];

/**
 * Each call takes the next number as its own, also where several run at once, and leaves its words in `calls/call.N`.
 * @param body what happens then, as sh text: `$n` is the number, `$real` the command; without an `exec` the call fails.
 */
export function writeWrappers(
  commands: readonly string[],
  { bin, calls }: { readonly bin: string; readonly calls: string },
  body: string,
): void {
  mkdirSync(bin, { recursive: true });
  for (const name of commands) {
    const real = commandPath(name);
    if (real === undefined) continue;
    const text = `#!/bin/sh
[ -d ${calls} ] || exit 1
n=0; [ ! -f ${calls}/last ] || read -r n < ${calls}/last
while n=$((n + 1)); ! (set -C; echo "${name} $*" > ${calls}/call.$n) 2>/dev/null; do :; done
echo $n > ${calls}/last
name=${name} real=${real}
${body}
`;
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
}

export function commandPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(existsSync);
}
