/** What a change of durant.conf that is not saved yet would do to a stage, from what is known of its servers. Asks nobody. Pure. */
import { removableReleases } from '../engine/server/releases.ts';
import type { Translate } from '../format.ts';
import { liveOf, type StageEntry, type StageKnown } from './store.ts';

/** @param then the stage as it lies on disk. @param now as it is written. */
export function whatIf(
  then: StageEntry,
  now: StageEntry,
  known: StageKnown | undefined,
  t: Translate,
): readonly string[] {
  return [
    ...releasesText(then, now, known, t),
    ...serversText(then, now, t),
    ...placeText(then, now, known, t),
    ...branchText(then, now, t),
    ...siteText(then, now, t),
    ...(then.protected === now.protected
      ? []
      : [now.protected ? t('every run would be asked about') : t('runs would no longer be asked about')]),
  ];
}

function releasesText(
  then: StageEntry,
  now: StageEntry,
  known: StageKnown | undefined,
  t: Translate,
): readonly string[] {
  const [before, after] = [then.keepReleases, now.keepReleases];
  if (before === undefined || after === undefined || before === after || known === undefined) return [];
  const servers = known.servers.map(({ releases, current }) => ({ records: releases, live: current }));
  const removed = (keep: number): ReadonlySet<string> =>
    new Set(servers.flatMap((server) => removableReleases(server, servers, keep)));
  const already = removed(before);
  const more = [...removed(after)].filter((name) => !already.has(name));
  if (more.length === 0) return [];
  return [more.length === 1 ? t('would remove 1 release') : t('would remove {0} releases', more.length)];
}

function serversText(then: StageEntry, now: StageEntry, t: Translate): readonly string[] {
  if (then.servers === undefined || now.servers === undefined) return [];
  const [before, after] = [then.servers, now.servers];
  const added = after.filter((server) => !before.includes(server));
  const gone = before.filter((server) => !after.includes(server));
  return [
    ...(added.length === 0 ? [] : [t('would deploy to {0}, too', added.join(', '))]),
    ...(gone.length === 0 ? [] : [t('{0} would stay as it is', gone.join(', '))]),
  ];
}

/** What is live in the other folder goes on being there, and Durant no longer looks at it. */
function placeText(
  then: StageEntry,
  now: StageEntry,
  known: StageKnown | undefined,
  t: Translate,
): readonly string[] {
  const [before, after] = [then.projectDir, now.projectDir];
  if (before === undefined || after === undefined || before === after) return [];
  const isLive = ['one', 'mixed'].includes(liveOf(known).kind);
  return [
    isLive
      ? t('would begin anew in {0}; {1} would stay as it is', after, before)
      : t('would deploy into {0}', after),
  ];
}

function branchText(then: StageEntry, now: StageEntry, t: Translate): readonly string[] {
  if (then.branch === now.branch) return [];
  return [t('would deploy {0}', now.branch ?? t('the default branch'))];
}

function siteText(then: StageEntry, now: StageEntry, t: Translate): readonly string[] {
  if (then.domain === now.domain) return [];
  if (now.domain === undefined) return [t('would take the site of {0} away', then.domain ?? '')];
  return [t('visitors would find it at {0}', now.domain)];
}
