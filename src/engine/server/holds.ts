/** `.durant/hold`: a stage that nobody may deploy to for a while, with the reason. Its times are of the server's clock. Pure. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { formatHold, recordLine, type HoldRecord } from './record.ts';
import type { ServerFacts } from './serverFacts.ts';

type Held = Pick<ServerFacts, 'hold' | 'clock'>;

/** The hold of a server; null where there is none, or it is over by the server's clock. */
export function holdOf({ hold, clock }: Held, now: Date): HoldRecord | null {
  if (hold === undefined) return null;
  return isOver(hold, clock ?? now) ? null : hold;
}

/** Script that removes a hold that is over, unless somebody has put another there; the working directory is project_dir. */
export function forgetHold(hold: HoldRecord): string {
  const same = [recordLine('since', hold.since), recordLine('until', hold.until ?? '')]
    .map((line) => `grep -qxF ${quote(line)} .durant/hold 2>/dev/null`)
    .join(' && ');
  return `if ${same}; then rm -f .durant/hold; fi`;
}

/** Script that puts a hold in the place of any other, whole or not at all; the working directory is project_dir. */
export function writeHold(hold: HoldRecord, id: string): string {
  return `{ printf %s ${quote(formatHold(hold))} > .durant/hold.${id} && mv -f .durant/hold.${id} .durant/hold; }`;
}

/** The error of a stage that is held. */
export function heldError(stage: string, server: string, hold: HoldRecord): DurantError {
  const until = hold.until === null ? '' : ` until ${hold.until}`;
  return new DurantError(
    'held',
    `${stage} is held by ${hold.user}@${hold.host} since ${hold.since}${until}: ${hold.why}.`,
    { remedy: 'Ask there, or lift it', command: `durant unhold ${stage}`, server },
  );
}

function isOver({ until }: HoldRecord, now: Date): boolean {
  return until !== null && Date.parse(until) <= now.getTime();
}
