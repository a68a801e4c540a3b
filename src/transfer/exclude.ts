export interface Excluder {
  /** Whether rsync would leave it out; the caller does not descend into an excluded folder. */
  (path: string, isDirectory: boolean): boolean;
}
export declare function createExcluder(patterns: readonly string[]): Excluder;
/** The pattern of the list that decides this path (as written), for "matches nothing" checks; undefined: none. */
export declare function excludedBy(
  patterns: readonly string[],
): (path: string, isDirectory: boolean) => string | undefined;
/** The whole ordered list for rsync's own `--exclude`. */
export declare function rsyncPatterns(patterns: readonly string[]): readonly string[];
