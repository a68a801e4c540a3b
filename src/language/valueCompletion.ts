/** Completion of values: choices of the option table, and names of the project and this machine. */
import type { ConfDocument } from '../config/syntax/document.ts';
import { GOAL_TYPES, type OptionSpec } from '../config/options/options.ts';
import { goalNames, processNames } from '../config/syntax/sections.ts';
import { itemsOf } from '../config/values/resolvers.ts';
import { parseServer } from '../config/values/serverEntries.ts';
import type { Suggestion, SuggestionKind } from './suggestion.ts';
import type { Cursor } from './cursor.ts';
import type { Surroundings, Translate } from './languageFacts.ts';
import { lineAt, sectionOf } from './layout.ts';
import { suggestPaths, treeBelow } from './treePaths.ts';

type ValueCursor = Extract<Cursor, { readonly at: 'value' }>;

/** A value before it is known where it goes. */
interface Candidate {
  readonly text: string;
  readonly kind: SuggestionKind;
  readonly detail?: string | undefined;
  readonly documentation?: string | undefined;
  readonly again?: boolean;
  /** Not a value but the start of one: written as it is. */
  readonly verbatim?: true;
}

export function completeValue(
  doc: ConfDocument,
  cursor: ValueCursor,
  surroundings: Surroundings,
  t: Translate,
): readonly Suggestion[] {
  const { spec } = cursor;
  const candidates =
    spec === undefined
      ? []
      : [...choicesOf(spec, t), ...namesFor(doc, cursor, spec, surroundings, t), ...samplesOf(spec, t)];
  const taken = new Set(cursor.others);
  const seen = new Set<string>();
  const offered = [...candidates, ...prefixesOf(doc, cursor, t), ...resolversFor(cursor, t)].filter(
    ({ text }) => text !== '' && !taken.has(text) && !seen.has(text) && seen.add(text),
  );
  const { start } = cursor.range;
  const below = lineAt(doc, start).start > cursor.option.delimiter;
  return offered.flatMap((candidate): readonly Suggestion[] => {
    const { text, kind, detail, documentation, again, verbatim } = candidate;
    if (verbatim !== true && !isWritable(text, { inline: cursor.inline, below })) return [];
    const insert = verbatim === true ? text : text.replaceAll('%', '%%');
    return [
      {
        label: text,
        kind,
        detail,
        documentation,
        insert,
        range: rangeFor(cursor, candidate),
        ...(again === true ? { again } : {}),
      },
    ];
  });
}

/** A host replaces only what follows the `user@`. */
function rangeFor({ range, prefix, spec }: ValueCursor, candidate: Candidate): ValueCursor['range'] {
  const at = spec?.kind === 'servers' && candidate.kind === 'host' ? prefix.lastIndexOf('@') + 1 : 0;
  return { start: range.start + at, end: range.end };
}

/** Whether a text means itself where it would be written. */
function isWritable(text: string, place: { readonly inline: boolean; readonly below: boolean }): boolean {
  if (/[\r\n\0]/.test(text) || text.trim() !== text) return false;
  if (place.inline && text.includes(',')) return false;
  return !place.below || !/^[#;]/.test(text);
}

function choicesOf(spec: OptionSpec, t: Translate): readonly Candidate[] {
  const fallback = (name: string): string | undefined => (name === spec.default ? t('default') : undefined);
  switch (spec.kind) {
    case 'bool':
      return ['yes', 'no'].map((text) => ({ text, kind: 'choice', detail: fallback(text) }));
    case 'enum':
      return Object.entries(spec.values).map(([text, documentation]) => ({
        text,
        kind: 'choice',
        detail: fallback(text),
        documentation,
      }));
    default:
      return [];
  }
}

/** What systemd starts a process by, in the usual words. */
const STARTERS: Readonly<Record<string, readonly string[]>> = {
  socket: ['yes'],
  timer: ['OnCalendar=daily', 'OnCalendar=hourly', 'OnCalendar=weekly'],
};

/** The default and the example, where there is nothing better to offer. */
function samplesOf(spec: OptionSpec, t: Translate): readonly Candidate[] {
  const isPlain =
    spec.kind === 'number' ||
    spec.kind === 'duration' ||
    (spec.kind === 'text' && ['release-name', 'octal-mode', 'url'].includes(spec.form ?? ''));
  const samples: Candidate[] = [];
  if (spec.default !== undefined && (isPlain || spec.kind === 'text'))
    samples.push({ text: spec.default, kind: 'text', detail: t('default') });
  if (isPlain) samples.push({ text: spec.example, kind: 'text', detail: t('example') });
  return samples;
}

function namesFor(
  doc: ConfDocument,
  cursor: ValueCursor,
  spec: OptionSpec,
  surroundings: Surroundings,
  t: Translate,
): readonly Candidate[] {
  const { project } = surroundings;
  if (spec.kind === 'servers') {
    const hosts = (surroundings.sshHosts ?? []).map((text): Candidate => ({
      text,
      kind: 'host',
      detail: '~/.ssh/config',
    }));
    const here: Candidate = { text: 'local', kind: 'host', detail: t('this machine, without SSH') };
    return cursor.prefix.includes('@') ? hosts : [...hosts, here];
  }
  if (spec.kind === 'list' && spec.form === 'goal-name')
    return [
      { text: 'deploy', kind: 'choice', detail: t('built in') },
      ...goalNames(doc).map((text): Candidate => ({ text, kind: 'choice', detail: `[goal ${text}]` })),
    ];
  if (spec.kind === 'list' && spec.form === 'process-name')
    return processNames(doc).map((text) => ({ text, kind: 'choice', detail: `[process ${text}]` }));
  if ((spec.kind === 'list' || spec.kind === 'text') && spec.form === 'role')
    return roleNames(doc).map((text) => ({ text, kind: 'choice' }));
  if (spec.kind === 'text' && spec.form === 'goal-type')
    return Object.entries(GOAL_TYPES).map(([text, { doc: documentation }]) => ({
      text,
      kind: 'choice',
      documentation,
    }));

  if (cursor.role.place === 'process' && Object.hasOwn(STARTERS, cursor.option.key))
    return (STARTERS[cursor.option.key] ?? []).map((text) => ({ text, kind: 'choice' }));

  switch (cursor.option.key) {
    case 'branch':
    case 'ref':
      return project === undefined ? [] : refsOf(project, t);
    case 'remote':
      return (project?.remotes ?? []).map(({ name, url }) => ({ text: name, kind: 'remote', detail: url }));
    case 'repository':
      if (cursor.role.place === 'goal') return [];
      return [
        { text: '.', kind: 'folder', detail: t('this project') },
        ...(project?.remotes ?? []).map(({ name, url }): Candidate => ({
          text: url,
          kind: 'remote',
          detail: name,
        })),
      ];
    case 'ssh_identity':
    case 'signing_key':
      return (surroundings.keyFiles ?? []).map((text) => ({ text, kind: 'file' }));
    default:
      return project === undefined ? [] : pathsFor(doc, cursor, project.trackedPaths);
  }
}

function refsOf(project: NonNullable<Surroundings['project']>, t: Translate): readonly Candidate[] {
  const here: readonly string[] = project.branch === undefined ? [] : [project.branch];
  const branches = [...here, ...project.branches.filter((name) => name !== project.branch)];
  return [
    ...branches.map((text): Candidate => ({
      text,
      kind: 'branch',
      detail: text === project.branch ? t('branch, checked out') : t('branch'),
    })),
    ...project.remoteBranches.map(({ remote, branch }): Candidate => ({
      text: branch,
      kind: 'branch',
      detail: t('branch of {0}', remote),
    })),
    ...project.tags.map((text): Candidate => ({ text, kind: 'tag', detail: t('tag') })),
  ];
}

/** What kind of path each option names, and whether it is counted from `sub_directory`. */
const PATH_OPTIONS: Readonly<
  Record<string, { readonly want: 'files' | 'folders' | 'both' | 'patterns'; readonly inTree: boolean }>
> = {
  exclude: { want: 'patterns', inTree: true },
  shared_dirs: { want: 'folders', inTree: true },
  shared_files: { want: 'files', inTree: true },
  copy_dirs: { want: 'folders', inTree: true },
  writable_dirs: { want: 'folders', inTree: true },
  clear_paths: { want: 'both', inTree: true },
  sub_directory: { want: 'folders', inTree: false },
  env_file: { want: 'files', inTree: false },
  requirements: { want: 'files', inTree: false },
  distfile: { want: 'files', inTree: false },
  templates_dir: { want: 'folders', inTree: false },
  notes_file: { want: 'files', inTree: false },
  working_dir: { want: 'folders', inTree: false },
  directory: { want: 'folders', inTree: false },
  filename: { want: 'files', inTree: false },
  assets: { want: 'files', inTree: false },
};

function pathsFor(
  doc: ConfDocument,
  { option, prefix }: ValueCursor,
  tracked: readonly string[],
): readonly Candidate[] {
  const wanted = Object.hasOwn(PATH_OPTIONS, option.key) ? PATH_OPTIONS[option.key] : undefined;
  if (wanted === undefined) return [];
  const section = sectionOf(doc, option);
  const folder = (section.options.get('sub_directory') ?? doc.defaults.options.get('sub_directory'))?.raw;
  const tree = wanted.inTree && folder !== undefined ? treeBelow(tracked, folder) : tracked;
  return suggestPaths(tree, prefix, wanted.want).map(({ path, isFolder }) => ({
    text: path,
    kind: isFolder ? 'folder' : 'file',
    again: path.endsWith('/'),
  }));
}

/** Roles that servers of any stage have. */
function roleNames(doc: ConfDocument): readonly string[] {
  const entries = doc.options
    .filter(({ key }) => key === 'server')
    .flatMap(({ raw }) => itemsOf('servers', raw));
  const roles = entries.flatMap(({ text }) => {
    const server = parseServer(text, { sshPort: undefined });
    return 'error' in server ? [] : server.roles;
  });
  return [...new Set(roles)];
}

/** `local!`, `once!` and `on ROLE!` where commands run on servers. */
function prefixesOf(doc: ConfDocument, { option, spec }: ValueCursor, t: Translate): readonly Candidate[] {
  if (spec?.kind !== 'commands') return [];
  const isHook = spec.group === 'Hooks';
  if (!isHook && option.key !== 'health_check') return [];
  const local: Candidate = {
    text: 'local! ',
    kind: 'resolver',
    detail: t('runs on this machine, once per run'),
    verbatim: true,
  };
  const once: Candidate = {
    text: 'once! ',
    kind: 'resolver',
    detail: t('runs on the first server only'),
    verbatim: true,
  };
  const roles = roleNames(doc).map((role): Candidate => ({
    text: `on ${role}! `,
    kind: 'resolver',
    detail: t('runs on the servers with this role'),
    verbatim: true,
  }));
  return isHook ? [local, once, ...roles] : [local, ...roles];
}

function resolversFor({ spec, role }: ValueCursor, t: Translate): readonly Candidate[] {
  if (spec?.kind === 'bool' || spec?.kind === 'enum') return [];
  if (spec === undefined && role.place !== 'vars') return [];
  const found: readonly (readonly [string, string])[] = [
    ['env!', t('an environment variable')],
    ['var!', t('a variable of [vars]')],
    ['secret!', t("from the editor's secret store")],
    ['sh!', t('the output of a command')],
  ];
  return found.map(([text, detail]) => ({
    text,
    kind: 'resolver',
    detail,
    again: text !== 'sh!',
    verbatim: true,
  }));
}
