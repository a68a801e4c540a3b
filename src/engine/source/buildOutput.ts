/** What a dry run says of build output: that it did not list it, or where it kept copies of it. Pure. */
export const BUILD_NOT_LISTED = 'build-output-not-listed';

/** @param isListed whether the commit's own files are in the list. */
export function notListedMessage(isListed: boolean): string {
  const what = isListed
    ? 'The files below are those of the commit: what before_deploy makes is not in the list.'
    : 'No file is listed: before_deploy makes all that is sent.';
  return `${what} Add --build to run it in a scratch folder and list exactly.`;
}

/** Name of the file of a folder of copies (builtCopies.ts) that is a `BuiltIndex`. */
export const BUILT_INDEX = 'index.json';

export interface BuiltIndex {
  readonly files: readonly BuiltCopy[];
}

/** A file that is sent and not as the commit has it, or not in it at all. */
export interface BuiltCopy {
  /** Relative to the tree that is sent, as events have it. */
  readonly path: string;
  /** Name of its copy in the folder; null where it is not text, too large, or one too many. */
  readonly copy: string | null;
}
