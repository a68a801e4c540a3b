/** A stage as the engine takes it, from durant.conf as it is on disk. */
import { readFile } from 'node:fs/promises';
import type { ConfDocument } from '../config/syntax/document.ts';
import { parseConfBytes } from '../config/syntax/decode.ts';
import { openStage as openParsedStage, type Host, type StageRequest } from '../engine/index.ts';
import { DurantError, reasonOf } from '../errors.ts';
import type { StageCall } from './protocol.ts';

/**
 * This process is started in trusted workspaces only.
 * @param goals whether the goals of its pipeline are wanted, too; their resolvers may ask for secrets.
 * @throws {DurantError} `config-not-found`, and whatever is wrong with the configuration.
 */
export async function openStage(
  call: StageCall,
  host: Host,
  signal: AbortSignal,
  goals: 'with goals' | 'without goals' = 'without goals',
): Promise<StageRequest> {
  return openParsedStage({ ...call, doc: await readConf(call.file), goals }, host, signal);
}

/** @throws {DurantError} `config-not-found`. */
export async function readConf(file: string): Promise<ConfDocument> {
  try {
    return parseConfBytes(await readFile(file));
  } catch (error) {
    throw new DurantError('config-not-found', `${file} cannot be read (${reasonOf(error)}).`, {
      remedy: 'Put it back, or run Durant: Create durant.conf.',
      cause: error,
    });
  }
}
