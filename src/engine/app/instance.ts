/** sh text for the instance that a release runs as beside the one before it. The working directory is project_dir. Pure. */
import { quote } from '../../remote/shell.ts';
import { awaitDrain } from './drain.ts';
import { awaitAnswers, DEFINE_LISTENING, defineAnswers } from './listening.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { DEFINE_HALT, putUnits, removeUnits } from './unitFiles.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';
import { defineRestarts } from './unitStates.ts';

interface InstanceRequest {
  /** The instance alone. */
  readonly set: ServiceSet;
  readonly project: string;
  readonly sudo: Sudo;
}

/**
 * Installs and starts an instance; one that runs already, and is as it should be, goes on. It is not enabled: until the site leads to it, a
 * boot starts the one before. Prints what `restarts` does.
 */
export function startInstance({ set, project, sudo }: InstanceRequest): string {
  const units = set.units.flatMap((file) => file.units);
  const names = units.map(quote);
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
${DEFINE_HALT}
${awaitDrain(units)}
${putUnits(set.units, quote(markOf(project)))}
for u in ${names.join(' ')}; do
  if look is-failed --quiet "$u"; then ctl reset-failed "$u"; fi
done
case $changed in ?*) halt ${names.join(' ')}; [ -z "$still" ] || exit 1;; esac
for u in ${names.join(' ')}; do ctl start "$u" || exit 1; done
echo "started "${names.join('" "')}
${defineRestarts(set)}
restarts
rm -rf "$t"`;
}

/** Waits until the instance listens, at most as long as told: `listens=yes` or nothing. */
export function listensScript(upstream: string | undefined, seconds: number): string {
  return `${DEFINE_LISTENING}
${defineAnswers(upstream)}
if ${awaitAnswers(seconds)}; then echo listens=yes; fi`;
}

/** Stops an instance that no site leads to, and removes its units. */
export function removeInstance({ set, project, sudo }: InstanceRequest): string {
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
${removeUnits(
  set.units
    .map(({ name }) => name)
    .map(quote)
    .join(' '),
  quote(markOf(project)),
)}`;
}
