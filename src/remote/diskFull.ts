/**
 * Whether what a server's tools said means that a disk, a quota or a file size limit is reached: tar, cp, cat and most shells quote the
 * system; dash (5.11) says `I/O error` when its own printf or echo cannot write, for which a full disk is the one common cause.
 */
import { DurantError } from '../errors.ts';
export function saysDiskFull(said: string): boolean {
  return /no space left|disk full|quota exceeded|file too large|file size limit|SIGXFSZ|\b(printf|echo): I\/O error/i.test(
    said,
  );
}

/** @param output what said so; empty where nothing of it helps. */
export function diskFull(server: string, output: string): DurantError {
  return new DurantError('disk-full', `The disk of ${server} is full.`, {
    remedy: 'Free some space there, then deploy again.',
    server,
    output,
  });
}
