/**
 * Names as the commit has them, where the file system has them otherwise: in another case or composition (macOS, Windows). The commit's
 * are what counts, on every machine. Pure.
 */
import { DurantError } from '../../errors.ts';
import { nameKey, type Platform } from '../../platform.ts';
import { displayPath } from './manifest.ts';

/**
 * Gives the commit's path for a path of the disk, both as latin1 strings; the disk's own where the commit has none.
 * @throws {DurantError} `checkout-failed` where two names of the commit are one on this system: one of them cannot have been checked out.
 */
export function commitNames(
  tracked: Iterable<string>,
  system: Pick<Platform, 'ignoresCase' | 'recomposesNames'>,
): (path: string) => string {
  const key = nameKey(system);
  if (key === undefined) return (path) => path;
  const names = new Map<string, string>();
  for (const path of tracked)
    for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
      const name = end === -1 ? path : path.slice(0, end);
      const other = names.get(key(name));
      if (other === undefined) names.set(key(name), name);
      else if (other !== name)
        throw new DurantError(
          'checkout-failed',
          `“${displayPath(other).path}” and “${displayPath(name).path}” are one name for this system's files, so not both can be sent.`,
          { remedy: 'Rename one of them, or deploy from Linux.' },
        );
      if (end === -1) break;
    }
  return (path) => {
    const known = names.get(key(path));
    if (known !== undefined) return known;
    // A new file in a folder of the commit.
    const slash = path.lastIndexOf('/');
    const folder = slash === -1 ? undefined : names.get(key(path.slice(0, slash)));
    return folder === undefined ? path : folder + path.slice(slash);
  };
}
