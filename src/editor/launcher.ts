/** `durant` as a command: a file that starts the command line of this extension with the editor's own Node. No `vscode` here. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from '../platform.ts';
import { quote } from '../remote/shell.ts';

export interface Launch {
  /** Path of Node, or of an Electron that can be one. */
  readonly node: string;
  /** Path of the command line's bundle. */
  readonly cli: string;
}

/** Writes the launchers into `folder`, where they are not there yet. Two windows at once write the same. */
export async function writeLauncher(folder: string, { node, cli }: Launch): Promise<void> {
  await mkdir(folder, { recursive: true });
  const script = join(folder, 'durant.cjs');
  // What the command line starts itself is no Node.
  await put(script, `delete process.env.ELECTRON_RUN_AS_NODE;\nrequire(${JSON.stringify(cli)});\n`, 0o644);
  await put(
    join(folder, 'durant'),
    `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quote(node)} ${quote(script)} "$@"\n`,
    0o755,
  );
  if (platform.scriptEnding === '.cmd')
    await put(
      join(folder, 'durant.cmd'),
      `@echo off\r\nsetlocal\r\nset ELECTRON_RUN_AS_NODE=1\r\n"${node}" "${script}" %*\r\n`,
      0o755,
    );
}

/** Whole or not at all: a terminal may be starting it. */
async function put(path: string, text: string, mode: number): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const next = `${path}.${String(process.pid)}`;
  await writeFile(next, text, { mode });
  await rename(next, path);
}
