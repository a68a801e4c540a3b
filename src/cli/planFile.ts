/** The file of a saved plan. */
import { access, constants, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DurantError, reasonOf } from '../errors.ts';

export interface PlanFile {
  readonly path: string;
  /** As the user named it. */
  readonly name: string;
}

/** @throws {DurantError} `usage`. */
export async function readPlan({ path, name }: PlanFile): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new DurantError('usage', `${name} cannot be read.`, {
      remedy: 'Name the file of a plan.',
      cause: error,
    });
  }
}

/** Looks whether the plan can be written, before anything is done for it. @throws {DurantError} `usage`. */
export async function assertWritable(file: PlanFile): Promise<void> {
  try {
    await access(dirname(file.path), constants.W_OK);
  } catch (error) {
    throw notWritten(file, error);
  }
  const found = await stat(file.path).catch(() => undefined);
  if (found?.isDirectory() === true) throw notWritten(file, 'it is a folder');
}

/** @throws {DurantError} `usage`. */
export async function writePlan(file: PlanFile, plan: object): Promise<void> {
  try {
    await writeFile(file.path, `${JSON.stringify(plan, null, 2)}\n`);
  } catch (error) {
    throw notWritten(file, error);
  }
}

function notWritten({ name }: PlanFile, why: unknown): DurantError {
  return new DurantError('usage', `The plan cannot be written to ${name} (${reasonOf(why)}).`, {
    remedy: 'Name a file in a folder that is there and yours.',
    cause: why,
  });
}
