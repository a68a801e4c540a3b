/** `durant templates`. */
import { flag } from '../optionValues.ts';
import { defineCommand } from '../command.ts';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { expandLocalPath } from '../../config/values/localPath.ts';
import { resolveStage, stageNames } from '../../config/values/stage.ts';
import { DurantError, reasonOf } from '../../errors.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { printable } from '../../printable.ts';
import { openProject } from '../project.ts';

interface TemplateState {
  readonly name: string;
  readonly file: string;
  readonly state: 'built in' | 'of the project' | 'written';
}

export const templates = defineCommand({
  name: 'templates',
  summary: 'List the templates of units and proxy site, or write them into the project to change them.',
  help: `
A file of the same name in templates_dir (.durant/templates) is used instead of the built-in one;
<process>.service, .socket or .timer there is for one process alone. What is there already stays.

Examples:
  durant templates
  durant templates --export`,
  options: [['--export', 'write the built-in ones into templates_dir, to be changed there']],
  read(_, options) {
    return { export: flag(options, 'export') };
  },
  async run(wanted, context) {
    const { engine } = await import('../engine.ts');
    const { options, output, env, cwd } = context;
    const project = await openProject({ cwd, config: options.config });
    const written = stageNames(project.doc).map(
      (stage) => resolveStage(project.doc, stage).values.get('templates_dir')?.value,
    );
    const folders = [...new Set(written.map((path) => path ?? '.durant/templates'))];
    const found: TemplateState[] = [];
    for (const folder of folders.length === 0 ? ['.durant/templates'] : folders) {
      const path = resolve(project.directory, expandLocalPath(folder, env));
      for (const [name, text] of Object.entries(engine.BUILT_IN_TEMPLATES)) {
        const file = join(path, name);
        const shown = relative(cwd, file);
        if (await exists(file)) found.push({ name, file: shown, state: 'of the project' });
        else if (wanted.export) {
          await write(path, file, text);
          found.push({ name, file: shown, state: 'written' });
        } else found.push({ name, file: shown, state: 'built in' });
      }
    }
    if (options.json) printJson(output, { templates: found });
    else for (const { file, state } of found) printLine(output.stdout, `${printable(file)}: ${state}`);
    return 0;
  },
});

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
    const why = reasonOf(error);
    throw new DurantError('path-not-writable', `${file} cannot be written: ${why}.`, {
      remedy: 'Make its folder writable.',
      cause: error,
    });
  }
}
