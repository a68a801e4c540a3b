/** Commits as git log prints them. */
import type { Commit } from './port.ts';

/** Arguments that make `git log` print what `parseCommits` reads. */
export const LOG_FORMAT = [
  '--no-show-signature',
  '--encoding=UTF-8',
  '-z',
  '--format=%H%n%an <%ae>%n%ct%n%s',
];

/** Reads `git log` with `LOG_FORMAT`; each is named by its own id. */
export function parseCommits(text: string): readonly Commit[] {
  return text.split('\0').flatMap((record) => {
    const [id = '', author = '', seconds = '', ...subject] = record.split('\n');
    if (!isFullId(id)) return [];
    return [{ id, author, date: Number(seconds) * 1000, subject: subject.join(' '), branch: id }];
  });
}

export function isFullId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

export function isAbbreviatedId(text: string): boolean {
  return /^[0-9a-f]{4,39}$/.test(text);
}
