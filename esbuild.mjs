// Builds both bundles into dist/: the CLI (without `vscode`, so that a wrong import breaks the build) and the extension.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: !process.argv.includes('--dev'),
  sourcemap: process.argv.includes('--dev') ? 'linked' : false,
  legalComments: 'none',
  logLevel: 'warning',
  // ssh2 loads its native accelerators when they are there and falls back to JavaScript when they are not.
  external: ['cpu-features', '*.node'],
};

await rm('dist', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli.cjs',
  banner: { js: '#!/usr/bin/env node' },
});
if (existsSync('src/extension.ts')) {
  await build({
    ...common,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.cjs',
    external: [...common.external, 'vscode'],
  });
}
