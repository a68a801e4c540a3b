/** The project that a command works on: the folder that durant.conf lies in. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ConfDocument } from '../config/syntax/document.ts';
import { parseConf } from '../config/syntax/parse.ts';
import { resolveStage, stageNames, type Stage } from '../config/values/stage.ts';
import { DurantError } from '../errors.ts';

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
  const shown = place.config ?? CONF_NAME;
  const file = resolve(place.cwd, shown);
  try {
    const text = await readFile(file, 'utf8');
    return { file, shown, directory: dirname(file), doc: parseConf(text) };
  } catch (error) {
    const remedy =
      place.config === undefined
        ? 'Go to the folder of the project, name the file with --config FILE, or write one with: durant init'
        : 'Name a file that can be read, or write one with: durant init';
    const found =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? place.config === undefined
          ? `There is no ${CONF_NAME} in ${place.cwd}`
          : `There is no file ${shown}`
        : `${shown} cannot be read (${error instanceof Error ? error.message : String(error)})`;
    throw new DurantError('config-not-found', `${found}. ${remedy}`, { cause: error });
  }
}

/** The stage that was named, or all of them in the order of the file. @throws {DurantError} `unknown-stage`. */
export function chosenStages({ doc }: Project, stage: string | undefined): readonly Stage[] {
  const names = stage === undefined ? stageNames(doc) : [stage];
  return names.map((name) => resolveStage(doc, name));
}
