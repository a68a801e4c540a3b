/** How a few paths of a folder are looked at, where scanning all of it would cost too much. */
import { parameters } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';

const look = shellFile(import.meta.url, './look.sh');

/** Defines the shell function `look LIST`, which tells the time of a path's content or of anything about it (`ctime`). Needs `scanFunction`. */
export function lookFunction(times: 'mtime' | 'ctime'): string {
  return parameters({ times }) + look;
}
