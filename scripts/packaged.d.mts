/** Paths of the files that the package is made of, relative to the checkout. */
export function packageSources(): readonly string[];
/** The packaged extension, made once for what it is made of. Gives its path. */
export function packagedExtension(): Promise<string>;
