/** The project that a command works on: the folder that durant.conf lies in. */
import { readFile, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { ConfDocument } from '../config/syntax/document.ts';
import { parseConfBytes } from '../config/syntax/decode.ts';
import { allStages, assertText, resolveStage, type Stage } from '../config/values/stage.ts';
import { DurantError, reasonOf } from '../errors.ts';

export const CONF_NAME = 'durant.conf';

export interface Project {
  /** Absolute path of durant.conf. */
  readonly file: string;
  /** The same as the user would name it: as given, or relative to the current folder. */
  readonly shown: string;
  readonly directory: string;
  readonly doc: ConfDocument;
}

/** @throws {DurantError} `config-not-found`. */
export async function openProject(place: {
  readonly cwd: string;
  /** What `--config` was given. */
  readonly config: string | undefined;
}): Promise<Project> {
  const file = place.config === undefined ? nearest(place.cwd) : resolve(place.cwd, place.config);
  const shown = place.config ?? (relative(place.cwd, file) || CONF_NAME);
  try {
    // What is named may be a pipe of the shell's; what is found in a folder of somebody else's may never end.
    if (place.config === undefined && !(await stat(file)).isFile()) throw new Error('it is no file');
    const bytes = await readFile(file);
    return { file, shown, directory: dirname(file), doc: parseConfBytes(bytes) };
  } catch (error) {
    const remedy =
      place.config === undefined
        ? 'Go to the folder of the project, name the file with --config FILE, or write one'
        : 'Name a file that can be read, or write one';
    const found =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? place.config === undefined
          ? `There is no ${CONF_NAME} in ${place.cwd}, nor in a folder above it`
          : `There is no file ${shown}`
        : `${shown} cannot be read (${reasonOf(error)})`;
    throw new DurantError('config-not-found', `${found}.`, {
      remedy,
      command: 'durant init',
      cause: error,
    });
  }
}

/** durant.conf of the folder, or of the nearest one above it that has one, as git finds its repository. */
function nearest(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, CONF_NAME);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) return join(cwd, CONF_NAME);
  }
}

/**
 * The stage that was named, or all of them in the order of the file.
 * @throws {DurantError} `unknown-stage`; `config-invalid` for a file that is no text, or in which a mistake may hide the stages.
 */
export function chosenStages({ doc }: Project, stage: string | undefined): readonly Stage[] {
  assertText(doc);
  return stage === undefined ? allStages(doc) : [resolveStage(doc, stage)];
}
