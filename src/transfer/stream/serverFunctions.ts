/** The shell functions that the transfer's scripts are put together from: POSIX sh and awk, for GNU, busybox and BSD tools. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';

export type HashTool = 'sha256sum' | 'shasum' | 'sha256' | 'openssl';

const hashCommands: Readonly<Record<HashTool, string>> = {
  sha256sum: 'sha256sum',
  shasum: 'shasum -a 256',
  sha256: 'sha256 -r',
  openssl: 'openssl dgst -sha256 -r',
};

const start = shellFile(import.meta.url, './prologue.sh');

/** Where everything starts: see the file. */
export function prologue(projectDir: string, hashTool: HashTool): string {
  return parameters({ H: hashCommands[hashTool] }, { project: projectDir }) + start;
}

export const pathFunctions = shellFile(import.meta.url, './paths.sh');
export const scanFunction = shellFile(import.meta.url, './scan.sh');
/** Need `pathFunctions` and `scanFunction`, as the next do. */
export const hashFunctions = shellFile(import.meta.url, './hashes.sh');
export const copyFunctions = shellFile(import.meta.url, './copy.sh');
/** `receive`, for scripts whose input is the stream. */
export const receiveFunction = shellFile(import.meta.url, './receive.sh');
export const stopSparesFunction = shellFile(import.meta.url, './stopSpares.sh');
