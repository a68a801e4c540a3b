/** `.touched` of a deploy straight into a folder: what its own commands changed after its files were put in place, which is no drift. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import { lookFunction } from './lookFunction.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction } from '../stream/serverFunctions.ts';
import type { TouchedRequest } from '../stream/modified.ts';

const list = shellFile(import.meta.url, './modifiedInplace.sh');

/**
 * sh text: lists the paths of the manifest where project_dir no longer has what it lists. Only those paths are looked at, as the rest of
 * the folder is not Durant's; only what changed at or after the manifest was written is hashed.
 */
export function touchedInplaceScript(request: TouchedRequest): string {
  return [
    '(',
    prologue(request.projectDir, request.hashTool),
    parameters({ release: request.release, run: request.run }),
    pathFunctions,
    scanFunction,
    hashFunctions,
    lookFunction('ctime'),
    list,
    ')',
    '',
  ].join('\n');
}
