// The packaged extension as tests and the demo install it, made once for what it is made of.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const checkout = resolve(import.meta.dirname, '..');
const ignore = '.vscodeignore';

/** Paths of the files that the package is made of, relative to the checkout: what `.vscodeignore` admits. */
export function packageSources() {
  const admitted = readFileSync(join(checkout, ignore), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'));
  return [ignore, ...admitted.flatMap((line) => globSync(line.slice(1), { cwd: checkout }))]
    .filter((path) => statSync(join(checkout, path)).isFile())
    .sort();
}

/**
 * The package of what `dist/` and the other files hold now, in the ignored folder `.cache/vsix`. Any number of processes may ask at once.
 * @returns {Promise<string>} its path.
 */
export async function packagedExtension() {
  const folder = join(checkout, '.cache', 'vsix');
  const name = contentKey();
  const made = join(folder, name, 'durant.vsix');
  if (existsSync(made)) return made;
  const making = join(folder, `${name}.${process.pid}`);
  mkdirSync(making, { recursive: true });
  try {
    await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, 'package.mjs'), '--as-built', join(making, 'durant.vsix')],
      { cwd: checkout },
    );
    for (const other of readdirSync(folder))
      if (/^[0-9a-f]+$/.test(other) && other !== name)
        rmSync(join(folder, other), { recursive: true, force: true });
    renameSync(making, join(folder, name));
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(made)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return made;
}

function contentKey() {
  const hash = createHash('sha256').update(readFileSync(join(import.meta.dirname, 'package.mjs')));
  for (const path of packageSources()) hash.update(`\0${path}\0`).update(readFileSync(join(checkout, path)));
  return hash.digest('hex').slice(0, 16);
}
