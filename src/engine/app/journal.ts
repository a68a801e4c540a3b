/** What services have written to systemd's journal. sh text. Pure. */
import { quote } from '../../remote/shell.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import type { ServiceSet, UnitFile } from './serviceSet.ts';

/** How much of it an error shows. */
export const SHOWN_LINES = 20;

/** Prints the last lines of a unit, oldest first, without dates; nothing where the login user may not read them. */
export function lastLinesScript(manager: ServiceSet['manager'], sudo: Sudo, unit: string): string {
  const user = manager === 'user' ? '--user ' : '';
  const ask = `journalctl ${user}--no-pager --quiet -o cat -n ${SHOWN_LINES} -u ${quote(unit)} 2>/dev/null`;
  return `${defineAs(sudo)}
${useManager(manager)}
change ${ask} || ${ask} || :`;
}

/** The unit whose log tells of a unit's failure: a socket and a timer fail with the service that they start. */
export function serviceOf(unit: string): string {
  return unit.replace(/\.(?:socket|timer)$/, '.service');
}

/** The units of a process whose logs are of interest: its services, what a timer starts included. */
export function loggingUnits(files: readonly UnitFile[]): readonly string[] {
  const named = files.flatMap(({ name, units, beside }) => {
    // The log of a process goes on from one release's instance to the next.
    if (beside === true) return [name.replace(/@.*(?=\.\w+$)/, '@*')];
    return units.length > 0 ? units : [name];
  });
  return [...new Set(named.map(serviceOf))];
}
