/** Servers that are listed twice, and stages that deploy to one place. */
import { pathParts } from '../values/forms.ts';
import { parseServer } from '../values/serverEntries.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import { headerRange, ownRange, plainItems, plainText, sshPortOf, type SectionView } from './view.ts';

interface Target {
  readonly entry: string;
  /** Equal for entries that lead to one login on one server. */
  readonly id: string;
  readonly range: { readonly start: number; readonly end: number };
}

function targetsOf(view: SectionView): readonly Target[] {
  const sshPort = sshPortOf(view);
  const user = plainText(view, 'user') ?? '';
  return plainItems(view, 'server').flatMap((item) => {
    const server = parseServer(item.text, { sshPort });
    if ('error' in server) return [];
    const port = server.port ?? sshPort;
    const id = server.local
      ? 'local'
      : `${server.user ?? user}@${server.host.toLowerCase()}:${port === undefined ? '' : String(port)}`;
    return [{ entry: server.entry, id, range: item.range }];
  });
}

/**
 * Servers that a stage has twice, and stages that deploy to one place.
 * @param only the stage that is looked at; undefined: all are.
 */
export function targetProblems(views: readonly SectionView[], only: string | undefined): readonly Problem[] {
  const stages = views
    .filter((view) => view.place === 'stage')
    .map((view) => ({ view, targets: targetsOf(view) }));
  const chosen = stages.filter(({ view }) => only === undefined || view.name === only);
  const others = stages.filter(({ view }) => only !== undefined && view.name !== only);
  return [...chosen.flatMap(duplicateServers), ...sameTargets([...others, ...chosen], only)];
}

interface StageTargets {
  readonly view: SectionView;
  readonly targets: readonly Target[];
}

/** One server twice in a stage. */
function duplicateServers({ view, targets }: StageTargets): readonly Problem[] {
  if (targets.length < 2) return [];
  const first = new Map<string, Target>();
  return targets.flatMap((target) => {
    const before = first.get(target.id);
    if (before === undefined) {
      first.set(target.id, target);
      return [];
    }
    return [
      problem(
        'duplicate-server',
        target.range,
        target.entry === before.entry
          ? `server: "${target.entry}" is listed twice. Remove one of the two.`
          : `server: "${target.entry}" is the same server as "${before.entry}". Remove one of the two.`,
        { key: 'server', stage: view.name, related: [{ range: before.range, message: 'The first one.' }] },
      ),
    ];
  });
}

/** Strategy inplace keeps Durant's records where visitors may look. */
export function webRoots(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage' || plainText(view, 'strategy') !== 'inplace') return [];
  return [
    problem(
      'inplace-web-root',
      ownRange(view, 'strategy'),
      'strategy: inplace keeps .durant in project_dir, which may be a web root. Durant writes a deny-all .htaccess for Apache; make other web servers refuse /.durant.',
      { key: 'strategy', stage: view.name },
    ),
  ];
}

/** Stages with one server and `project_dir`; said at the later one, or at `only` where one stage is looked at. */
function sameTargets(stages: readonly StageTargets[], only: string | undefined): readonly Problem[] {
  const taken = new Map<string, SectionView>();
  const problems: Problem[] = [];
  for (const { view, targets } of stages) {
    const directory = plainText(view, 'project_dir') ?? '';
    if (directory === '') continue;
    const path = (directory.startsWith('~') ? '~/' : '/') + pathParts(directory.replace(/^~/, '')).join('/');
    let said = false;
    for (const target of targets) {
      const id = `${target.id} ${path}`;
      const other = taken.get(id);
      if (other === undefined) {
        taken.set(id, view);
        continue;
      }
      if (said || other === view || (only !== undefined && view.name !== only)) continue;
      said = true;
      problems.push(
        problem(
          'same-target',
          ownRange(view, view.section.options.has('project_dir') ? 'project_dir' : 'server'),
          `[${view.name}] and [${other.name}] both deploy to ${directory} on ${target.entry}, so each replaces what the other put there. Give one of them another project_dir.`,
          {
            key: 'project_dir',
            stage: view.name,
            related: [{ range: headerRange(other.section), message: `[${other.name}] is here.` }],
          },
        ),
      );
    }
  }
  return problems;
}
