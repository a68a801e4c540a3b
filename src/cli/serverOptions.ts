/** `--server` and `--role`: which servers of the stage a command works on. */
import type { OptionDefinition } from './command.ts';
import { collect, list, type Options } from './optionValues.ts';

/** Both empty: all servers of the stage. */
export interface ServerChoice {
  /** Entries, hosts or host:port. */
  readonly servers: readonly string[];
  /** Of those, the servers with one of these. */
  readonly roles: readonly string[];
}

export const everyServer: ServerChoice = { servers: [], roles: [] };

export const serverOptions: readonly OptionDefinition[] = [
  ['--server <HOST>', 'only this server: its entry, host or host:port (may be given again)', collect],
  ['--role <ROLE>', 'only the servers with this role (may be given again)', collect],
];

export function serverChoice(options: Options): ServerChoice {
  return { servers: list(options, 'server'), roles: list(options, 'role') };
}
