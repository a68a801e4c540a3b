/** Whether what a dry run found still holds, from what is known: the servers are not asked for it. Pure. */
import { liveOf, type StageKnown } from './store.ts';

export type Staleness =
  /** Another release is live now than was compared with. */
  | 'live'
  /** durant.conf has been changed. */
  | 'configuration'
  /** The branch has commits that were not looked at. */
  | 'commits';

export interface Basis {
  readonly file: string;
  readonly stage: string;
  /** The commit that was live, where it was one and known. */
  readonly live: string | undefined;
  readonly commit: string | null;
  /** Text of durant.conf. */
  readonly configuration: string;
  /** The branch checked out in the project, where that is what was looked at. */
  readonly branch: string | undefined;
}

export interface Now {
  readonly known: StageKnown | undefined;
  readonly configuration: string;
  readonly head: { readonly branch: string | undefined; readonly commit: string } | undefined;
}

export function stalenessOf(basis: Basis, now: Now): Staleness | undefined {
  const live = liveOf(now.known);
  const commit = live.kind === 'one' ? live.record?.commit : undefined;
  if (live.kind !== 'unknown' && commit !== basis.live) return 'live';
  if (now.configuration !== basis.configuration) return 'configuration';
  const { head } = now;
  if (head !== undefined && basis.branch !== undefined && head.branch === basis.branch)
    if (head.commit !== basis.commit) return 'commits';
  return undefined;
}
