/** Options that validate but whose step this version does not have yet: a run that needs one says so instead of ignoring it. */
import type { OptionKey, Settings } from '../config/options.ts';
import { DurantError } from '../errors.ts';

const UNBUILT: readonly OptionKey[] = ['processes', 'domain_name'];

/** @throws {DurantError} `not-built-yet`, naming the options. */
export function assertBuilt(settings: Settings): void {
  const used = UNBUILT.filter((key) => {
    const value = settings[key];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  }).map(String);
  if (used.length > 0)
    throw new DurantError(
      'not-built-yet',
      `This version of Durant cannot do ${used.join(', ')} yet. Remove ${used.length === 1 ? 'it' : 'them'} from durant.conf, or wait for the version that can.`,
    );
}
