/** Roles that no server has. */
import { problem, type Problem } from '../syntax/problems.ts';
import { itemsOf, parseCommand } from '../values/resolvers.ts';
import { hasRole, isRole, parseServer, type ServerAddress } from '../values/serverEntries.ts';
import { didYouMean } from './suggest.ts';
import { ownRange, plainItems, plainText, sshPortOf, viewOf, type SectionView } from './view.ts';

interface Mention {
  readonly key: string;
  readonly role: string;
  readonly range: { readonly start: number; readonly end: number };
}

/** Roles of commands, `release_role` and processes that no server of the stage has; for a process: of no stage that runs it. */
export function unknownRoles(view: SectionView): readonly Problem[] {
  const mentions = mentionsIn(view);
  if (mentions.length === 0) return [];
  const stages = view.place === 'stage' ? [view] : view.place === 'process' ? stagesWith(view) : [];
  const servers = stages.map(serversOf);
  // Without stages, or where the servers are not known yet, nothing can be said.
  if (servers.length === 0 || servers.some((each) => each === undefined)) return [];
  const all = servers.flatMap((each) => each ?? []);
  return mentions.flatMap(({ key, role, range }) => {
    if (!isRole(role) || all.some((server) => hasRole(server, role))) return [];
    const suggestion = didYouMean(
      role,
      all.flatMap(({ roles }) => roles),
    );
    return [
      problem(
        'unknown-role',
        range,
        `${key}: no server has the role "${role}". ${suggestion === undefined ? `Give it to one: ${all[0]?.entry ?? 'web1'} [${role}]` : `Did you mean "${suggestion}"?`}`,
        suggestion === undefined ? { key } : { key, suggestion },
      ),
    ];
  });
}

function mentionsIn(view: SectionView): readonly Mention[] {
  const mentions: Mention[] = [];
  for (const [key, spec] of Object.entries(view.table)) {
    if (spec.kind === 'commands')
      for (const { text, range } of plainItems(view, key)) {
        const { role } = parseCommand(text);
        if (role !== undefined) mentions.push({ key, role, range });
      }
    else if (spec.kind === 'list' && spec.form === 'role')
      for (const { text, range } of plainItems(view, key)) mentions.push({ key, role: text, range });
    else if (spec.kind === 'text' && spec.form === 'role') {
      const role = plainText(view, key) ?? '';
      if (role !== '') mentions.push({ key, role, range: ownRange(view, key) });
    }
  }
  return mentions;
}

function stagesWith({ doc, facts, name }: SectionView): readonly SectionView[] {
  return [...doc.sections.values()]
    .map((section) => viewOf(doc, section, facts))
    .filter((view) => {
      if (view.place !== 'stage') return false;
      const processes = plainText(view, 'processes') ?? '';
      return processes === '' || itemsOf('list', processes).some(({ text }) => text === name);
    });
}

/** The servers of a stage; undefined where resolvers fill in some of them, or one is wrong. */
function serversOf(view: SectionView): readonly ServerAddress[] | undefined {
  const text = plainText(view, 'server');
  if (text === undefined) return undefined;
  const items = itemsOf('servers', text);
  const servers = items.flatMap((item) => {
    const server = parseServer(item.text, { sshPort: sshPortOf(view) });
    return 'error' in server ? [] : [server];
  });
  return servers.length === 0 || servers.length < items.length ? undefined : servers;
}
