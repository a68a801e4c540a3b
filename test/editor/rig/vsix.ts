/** The packaged extension, for the tests of a file: what is tested is what people install. */
import { packagedExtension } from '../../../scripts/packaged.mjs';

/** Makes the package before the tests of this file, unless it is there. Gives its path. */
export function packageExtension(): () => string {
  let file = '';
  before(async function () {
    this.timeout(120_000);
    file = await packagedExtension();
  });
  return () => file;
}
