/**
 * A power cut: of what was written after the last sync, a disk may keep any part. So before each command of a run that changes something the folder is copied,
 * and judged together with its copy as of the last sync: whichever link is found afterwards has to lead to a release that was whole then and
 * was not touched since.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from './client.ts';
import { flawOf, look, walked } from './look.ts';
import type { Surroundings } from './surroundings.ts';
import { makeStage } from './stage.ts';
import { CHANGING, commandPath, writeWrappers } from './wrappers.ts';

export interface PowerCuts {
  /** How many moments were judged. */
  readonly moments: number;
  /** How many syncs there were. */
  readonly syncs: number;
  /** What could be found after a cut, with the command before which it happens. */
  readonly flaws: readonly string[];
}

/** An operation, or what happens on the server between two. */
type Event = Operation | ((home: string) => void);

const deploy = (version: number): Operation => ({
  kind: 'deploy',
  version,
  again: false,
  waitMs: 0,
  only: [],
});
const rollback: Operation = { kind: 'rollback', release: undefined, waitMs: 0, only: [] };
const sick: Event = (home) => writeFileSync(join(home, 'sick'), '');
const well: Event = (home) => rmSync(join(home, 'sick'));

export const POWER_CUTS: readonly {
  readonly name: string;
  readonly conf: readonly string[];
  readonly operations: readonly Event[];
}[] = [
  {
    name: 'deploys that remove the oldest release',
    conf: ['keep_releases = 1', 'shared_dirs = storage'],
    operations: [deploy(1), deploy(2), deploy(3)],
  },
  {
    name: 'a deploy, a rollback, a deploy',
    conf: ['keep_releases = 1'],
    operations: [deploy(1), deploy(2), rollback, deploy(3)],
  },
  {
    name: 'a deploy that is switched back, and one after it',
    conf: ['health_check = test ! -e ~/sick'],
    operations: [deploy(1), sick, deploy(2), well, deploy(3)],
  },
];

/** Carries operations out on one server, and judges a cut before each of their commands. */
export async function cutPower(
  { folder, trees, shells }: Surroundings,
  conf: readonly string[],
  operations: readonly Event[],
): Promise<PowerCuts> {
  const stage = makeStage({ folder: join(folder, 'state'), trees, shells, servers: 1, conf });
  const [server] = stage.servers;
  if (server === undefined) throw new Error('The stage has no server.');
  const { site, home } = server;
  const [bin, calls] = [join(folder, 'bin'), join(folder, 'calls')];
  mkdirSync(calls);
  writeWrappers(
    CHANGING,
    { bin, calls },
    `${commandPath('cp') ?? 'cp'} -a ${site} ${calls}/site.$n; exec $real "$@"`,
  );
  for (const operation of operations)
    if (typeof operation === 'function') operation(home);
    else await stage.run(operation, { path: bin });
  cpSync(site, join(calls, 'site.end'), { recursive: true, verbatimSymlinks: true });
  const cuts = judge(calls);
  rmSync(folder, { recursive: true, force: true });
  return cuts;
}

function judge(calls: string): PowerCuts {
  const count = readdirSync(calls).filter((name) => name.startsWith('call.')).length;
  const flaws: string[] = [];
  let syncs = 0;
  /** As of the last sync; undefined before the first, when the disk holds nothing for certain. */
  let onDisk: string | undefined;
  /** What `current` led to then and since. */
  const links = new Set<string>();
  for (let n = 1; n <= count + 1; n += 1) {
    const now = join(calls, n > count ? 'site.end' : `site.${n}`);
    const command = n > count ? 'the end' : readFileSync(join(calls, `call.${n}`), 'utf8').trim();
    if (!existsSync(now)) continue;
    const link = look(now).current;
    if (link !== null) links.add(link);
    for (const flaw of flawsAfterCut(onDisk, now, links))
      flaws.push(`${flaw} (before ${command.slice(0, 100)})`);
    // What the next command finds is what this sync has written.
    if (command.startsWith('sync')) {
      syncs += 1;
      onDisk = n + 1 > count ? join(calls, 'site.end') : join(calls, `site.${n + 1}`);
      links.clear();
      const kept = look(onDisk).current;
      if (kept !== null) links.add(kept);
    }
  }
  return { moments: count + 1, syncs, flaws };
}

function flawsAfterCut(
  onDisk: string | undefined,
  now: string,
  links: ReadonlySet<string>,
): readonly string[] {
  return [...links].flatMap((link) => {
    if (onDisk === undefined) return [`${link} is live, and nothing was ever synced`];
    const flaw = flawOf(onDisk, link) ?? flawOf(now, link);
    if (flaw !== undefined) return [flaw];
    return same(join(onDisk, link), join(now, link)) ? [] : [`${link} was changed after the last sync`];
  });
}

function same(a: string, b: string): boolean {
  const [first, second] = [contents(a), contents(b)];
  return first === second;
}

function contents(folder: string): string {
  return JSON.stringify(
    [...walked(folder)].map(([path, what]) => [
      path,
      what.startsWith('f') ? readFileSync(join(folder, path), 'utf8') : what,
    ]),
  );
}
