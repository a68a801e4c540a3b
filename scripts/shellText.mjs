// A plugin of esbuild: shell source is in the bundles as text, where the sources read its file (src/remote/shellFile.ts).
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { shellFile } from '../src/remote/shellFile.ts';

const CALL = /\bshellFile\(import\.meta\.url, '([^']+)'\)/g;

/** @type {import('esbuild').Plugin} */
export const shellText = {
  name: 'shell text',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const url = pathToFileURL(path);
      const contents = source.replaceAll(CALL, (_, name) => JSON.stringify(shellFile(url, name)));
      return contents === source ? undefined : { contents, loader: 'ts' };
    });
  },
};
