/** A deploy as the pipeline drives it: `next` assesses it and says how it stands, and once more does what is missing. */
import type { Look } from '../run/step.ts';

export type DeployFlow = AsyncGenerator<Look, void, void>;
