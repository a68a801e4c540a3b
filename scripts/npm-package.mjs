// npm run package:npm [-- FOLDER]: builds, and packs the command line for the npm registry, durant-VERSION.tgz, into FOLDER (default: here).
// It goes from a folder of its own: the manifest of the extension is no help there, and what it names as `main` would be packed with it.
// With --as-built it takes dist/ as it is.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const files = [
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES',
  'goal.d.ts',
  'dist/cli.cjs',
  'dist/program.cjs',
  'dist/mcp.cjs',
];
/** Fields of package.json that are the command line's as well. */
const fields = [
  'name',
  'version',
  'license',
  'keywords',
  'homepage',
  'repository',
  'bugs',
  'type',
  'types',
  'bin',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'as-built': { type: 'boolean', default: false } },
});
if (!values['as-built']) run(process.execPath, ['esbuild.mjs']);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const texts = JSON.parse(readFileSync('package.nls.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'durant-npm-'));
try {
  for (const file of files) cpSync(file, join(folder, file));
  const own = {
    ...Object.fromEntries(fields.map((field) => [field, manifest[field]])),
    description: texts.description,
    engines: { node: manifest.engines.node },
    files,
    publishConfig: { access: 'public', provenance: true },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(own, undefined, 2)}\n`);
  run('npm', ['pack', '--loglevel', 'error', '--pack-destination', resolve(positionals[0] ?? '.'), folder]);
} finally {
  rmSync(folder, { recursive: true });
}

function run(command, args) {
  // npm is a batch file on Windows, which only a shell starts.
  const shell = command === 'npm' && process.platform === 'win32';
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell });
  if (status !== 0) process.exit(1);
}
