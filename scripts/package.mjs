// npm run package [-- FILE]: builds, and puts the extension with what it needs, and nothing else, into durant-VERSION.vsix.
// With --as-built it takes dist/ as it is.
import { createVSIX, listFiles } from '@vscode/vsce';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageSources } from './packaged.mjs';

/** A package that people download; more than this is something that got in by mistake. Bytes. */
const sizeLimit = 1_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'as-built': { type: 'boolean', default: false } },
});
if (!values['as-built']) {
  const built = spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
}

// What vsce starts would keep compiled code in the folder for temporary files.
process.env.NODE_DISABLE_COMPILE_CACHE = '1';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const packagePath = positionals[0] ?? `durant-${version}.vsix`;
const cwd = stage();
const warnings = [];
for (const level of ['warn', 'error']) {
  const say = console[level];
  console[level] = (...words) => {
    warnings.push(words.join(' '));
    say(...words);
  };
}
let files;
try {
  await createVSIX({ cwd, packagePath: resolve(packagePath), dependencies: false });
  files = await listFiles({ cwd, dependencies: false });
} finally {
  rmSync(cwd, { recursive: true });
}
const { size } = statSync(packagePath);
console.log(`${packagePath}: ${files.length} files, ${size} bytes`);
if (size > sizeLimit) console.error(`${packagePath} is larger than ${sizeLimit} bytes.`);
process.exit(warnings.length > 0 || size > sizeLimit ? 1 : 0);

/** A folder with what `.vscodeignore` admits: vsce would look at each of the hundred thousand files of `.vscode-test/` and `.cache/`. */
function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'durant-package-'));
  for (const path of packageSources()) cpSync(path, join(folder, path));
  return folder;
}
