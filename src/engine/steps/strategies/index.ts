/** The strategies by the value of `strategy`. */
import type { Settings } from '../../../config/options/options.ts';
import { inplace } from './inplace.ts';
import { releases } from './releases.ts';
import type { Strategy } from './strategy.ts';

export const STRATEGIES: Readonly<Record<Settings['strategy'], Strategy>> = { releases, inplace };
