/**
 * Code as V8 has compiled it, kept from start to start in the user's own cache folder: compiling the program anew takes a third of a short
 * command's processor time. Whoever can write such a file can run code as the user, so it is only read where nobody else could.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const digestBytes = 32;
/** What was not written anew for so long goes: other versions of Durant and of Node have files of their own. */
const keptMs = 30 * 24 * 60 * 60 * 1000;

/** A file of the folder. */
export interface CompiledCode {
  /** The code as it was kept; undefined where there is none that can be trusted. V8 itself refuses that of another version. */
  read(): Buffer | undefined;
  /** Keeps it, whole or not at all. Never throws: the next start is slower, no more. */
  write(data: Buffer): void;
}

/** @param use what the program was started for, as what has been compiled then differs: `deploy`. */
export function compiledCode(folder: string, source: Buffer, use: string): CompiledCode {
  const version = [process.version, process.arch, process.platform].join(' ');
  const key = createHash('sha256').update(version).update(source).digest('hex').slice(0, 24);
  const name = `${use}-${key}`;
  return {
    read: () => quietly(() => readOwn(folder, name)),
    write: (data) => quietly(() => writeOwn(folder, name, data)),
  };
}

function readOwn(folder: string, name: string): Buffer | undefined {
  if (!isOurs(lstatSync(folder))) return undefined;
  const file = openSync(join(folder, name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || !isOurs(stat)) return undefined;
    const kept = readFileSync(file);
    const data = kept.subarray(digestBytes);
    // V8 believes what it is given: a file that a full disk or a power cut has spoiled would end the process.
    return digest(data).equals(kept.subarray(0, digestBytes)) ? data : undefined;
  } finally {
    closeSync(file);
  }
}

function writeOwn(folder: string, name: string, data: Buffer): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isOurs(lstatSync(folder))) return;
  for (const other of readdirSync(folder)) {
    const path = join(folder, other);
    if (Date.now() - lstatSync(path).mtimeMs > keptMs) rmSync(path, { force: true });
  }
  const temporary = join(folder, `.${name}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(temporary, Buffer.concat([digest(data), data]), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, join(folder, name));
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** On Windows the user's profile is closed to others by its access list. */
function isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
}

function digest(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
