// Builds the bundles into dist/: the CLI (without `vscode`, so that a wrong import breaks the build) and the extension. With --notices
// it writes THIRD_PARTY_NOTICES, too.
import { build } from 'esbuild';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { noticesOf } from './scripts/notices.mjs';
import { shellText } from './scripts/shellText.mjs';

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: !process.argv.includes('--dev'),
  sourcemap: process.argv.includes('--dev') ? 'inline' : false,
  legalComments: 'none',
  logLevel: 'warning',
  // In a bundle it is empty: what reads a file by it would fail on whoever runs that.
  logOverride: { 'empty-import-meta': 'error' },
  write: false,
  metafile: true,
  // ssh2 loads its native accelerators when they are there and falls back to JavaScript when they are not.
  external: ['cpu-features', '*.node'],
};

/** The protocol of agents is a bundle of its own: every other command starts without it. */
const mcpApart = {
  name: 'mcp apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/mcpServer\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './mcp.cjs', external: true } : undefined,
    );
  },
};
/** The SDK would bring a validator of JSON Schema, half as large as itself; the input of tools is checked by src/agents/input.ts. */
const noValidator = {
  name: 'no validator',
  setup({ onLoad }) {
    onLoad({ filter: /@modelcontextprotocol.server.dist.shimsNode\.mjs$/ }, () => ({
      contents: `export { default as process } from 'node:process';
        export class DefaultJsonSchemaValidator { getValidator() { throw new Error('There is no validator.'); } }`,
    }));
  },
};

/** Files that are in any bundle. */
const inputs = new Set();

// The command line and the editor's engine, which is a process of its own: neither it nor ssh2 nor simple-git is in what VS Code loads.
await bundle({ entryPoints: ['src/program.ts'], outfile: 'dist/program.cjs', plugins: [mcpApart] });
// What starts it keeps its compiled code from start to start.
await bundle({
  entryPoints: ['src/cli/start.ts'],
  outfile: 'dist/cli.cjs',
  banner: { js: '#!/usr/bin/env node' },
});
await bundle({ entryPoints: ['src/cli/mcpServer.ts'], outfile: 'dist/mcp.cjs', plugins: [noValidator] });
await bundle({
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.cjs',
  external: [...common.external, 'vscode'],
});
await bundle({ entryPoints: ['src/engineProcess/start.ts'], outfile: 'dist/engine.cjs' });

const notices = noticesOf(inputs);
await put('dist/THIRD_PARTY_NOTICES', notices);
if (process.argv.includes('--notices')) await put('THIRD_PARTY_NOTICES', notices);

async function bundle(options) {
  const { outputFiles, metafile } = await build({
    ...common,
    ...options,
    plugins: [shellText, ...(options.plugins ?? [])],
  });
  for (const path of Object.keys(metafile.inputs)) inputs.add(path);
  for (const { path, contents } of outputFiles) await put(path, contents);
}

/** Puts a file in place whole, so that a command that is started while another builds never reads half of one. */
async function put(path, contents) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}
