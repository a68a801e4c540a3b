/** `durant templates`. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { expandLocalPath } from '../../config/localPath.ts';
import { resolveStage, stageNames } from '../../config/resolve.ts';
import { BUILT_IN_TEMPLATES } from '../../engine/index.ts';
import { DurantError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandOf } from '../invocation.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { printable } from '../printable.ts';
import { openProject } from '../project.ts';

interface TemplateState {
  readonly name: string;
  readonly file: string;
  readonly state: 'built in' | 'of the project' | 'written';
}

export async function templates(command: CommandOf<'templates'>, context: Context): Promise<number> {
  const { options, output, env, cwd } = context;
  const project = await openProject({ cwd, config: options.config });
  const written = stageNames(project.doc).map(
    (stage) => resolveStage(project.doc, stage).values.get('templates_dir')?.value,
  );
  const folders = [...new Set(written.map((path) => path ?? '.durant/templates'))];
  const found: TemplateState[] = [];
  for (const folder of folders.length === 0 ? ['.durant/templates'] : folders) {
    const path = resolve(project.directory, expandLocalPath(folder, env));
    for (const [name, text] of Object.entries(BUILT_IN_TEMPLATES)) {
      const file = join(path, name);
      const shown = relative(cwd, file);
      if (await exists(file)) found.push({ name, file: shown, state: 'of the project' });
      else if (command.export) {
        await write(path, file, text);
        found.push({ name, file: shown, state: 'written' });
      } else found.push({ name, file: shown, state: 'built in' });
    }
  }
  if (options.json) printJson(output, { templates: found });
  else for (const { file, state } of found) printLine(output.stdout, `${printable(file)}: ${state}`);
  return 0;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function write(folder: string, file: string, text: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    // `wx`: what is there already is the user's.
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DurantError(
      'path-not-writable',
      `${file} cannot be written: ${why}. Make its folder writable.`,
      {
        cause: error,
      },
    );
  }
}
