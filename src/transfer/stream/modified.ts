/** `.touched`: the paths of a release that later steps changed, which the next run must send anew. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction, type HashTool } from './serverFunctions.ts';

export interface TouchedRequest {
  readonly projectDir: string;
  readonly run: string;
  readonly release: string;
  readonly hashTool: HashTool;
}

const list = shellFile(import.meta.url, './modified.sh');

/**
 * sh text: lists the paths of the release that no longer equal its manifest in `.durant/manifests/<release>.touched`. To be run before the
 * switch, after the last step that writes. Only what changed at or after the manifest was written is hashed.
 */
export function touchedScript(request: TouchedRequest): string {
  return [
    '(',
    prologue(request.projectDir, request.hashTool),
    parameters({ release: request.release, run: request.run }),
    pathFunctions,
    scanFunction,
    hashFunctions,
    list,
    ')',
    '',
  ].join('\n');
}
