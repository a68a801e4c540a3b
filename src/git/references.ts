/** Branches and tags of a cache: read, resolved, and written as a clone has them. */
import { didYouMean } from '../config/rules/suggest.ts';
import { DurantError } from '../errors.ts';
import type { Repository } from './repository.ts';

/** A branch or tag. */
export interface Reference {
  readonly kind: 'branch' | 'tag';
  /** Name without `refs/heads/` or `refs/tags/`, bytes as latin1. */
  readonly name: string;
  /** What it points at: for an annotated tag the tag. */
  readonly id: string;
  /** What an annotated tag stands for. */
  readonly peeled: string | undefined;
}

/** Format for `git for-each-ref`, and the two places where it looks. */
export const LIST_REFERENCES = [
  'for-each-ref',
  '--format=%(objectname) %(*objectname) %(refname)',
  'refs/heads/',
  'refs/tags/',
];

/** Reads what `LIST_REFERENCES` printed, as latin1. */
export function parseReferences(text: string): readonly Reference[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', peeled = '', ...rest] = line.split(' ');
    const full = rest.join(' ');
    const kind = full.startsWith('refs/heads/') ? 'branch' : 'tag';
    const name = full.replace(/^refs\/(heads|tags)\//, '');
    return name === '' ? [] : [{ kind, name, id, peeled: peeled === '' ? undefined : peeled } as const];
  });
}

/** The branch, else the tag, of a name as it stands in durant.conf; `refs/heads/x` and `refs/tags/x` say which. */
export function findReference(references: readonly Reference[], name: string): Reference | undefined {
  const wanted = Buffer.from(name, 'utf8').toString('latin1');
  const named = (kind: Reference['kind'], of: string): Reference | undefined =>
    references.find((each) => each.kind === kind && each.name === of);
  const full = /^(?:refs\/)?(heads|tags)\/(.+)$/s.exec(wanted);
  const byFullName =
    full?.[2] === undefined ? undefined : named(full[1] === 'heads' ? 'branch' : 'tag', full[2]);
  return named('branch', wanted) ?? named('tag', wanted) ?? byFullName;
}

/** Whether a name is that of a branch and of a tag, which are not one commit. */
export function isAmbiguous(references: readonly Reference[], name: string): boolean {
  const wanted = Buffer.from(name, 'utf8').toString('latin1');
  const ids = references.filter((each) => each.name === wanted).map((each) => each.peeled ?? each.id);
  return new Set(ids).size > 1;
}

/** The branch or tag as people write it. */
export function shownName(reference: Reference): string {
  return Buffer.from(reference.name, 'latin1').toString('utf8');
}

/** The error for a name that is neither branch, tag nor commit; names what it may have meant. */
export function noSuchReference(
  name: string,
  references: readonly Reference[],
  repository: string,
  remote: string,
): DurantError {
  const names = [...new Set(references.map(shownName))];
  const stripped = name.replace(/^(refs\/)?(remotes\/)?/, '').replace(`${remote}/`, '');
  const near = names.find((each) => each === stripped) ?? didYouMean(name, names);
  const branches = references.filter((each) => each.kind === 'branch').map(shownName);
  const listed = branches.slice(0, 5).join(', ') + (branches.length > 5 ? ', …' : '');
  const remedy =
    near !== undefined
      ? `Did you mean ${near}?`
      : branches.length > 0
        ? `Its branches are ${listed}: correct \`branch\`, or push it first.`
        : 'It has no branches yet: push one first.';
  return new DurantError(
    'branch-not-found',
    `${repository} has no branch, tag or commit ${JSON.stringify(name)}.`,
    { remedy },
  );
}

/** The history ends before the commit that was asked for. @param shallow the repository, where it has more history elsewhere. */
export function endsBefore(
  name: string,
  branch: string,
  shallow: Pick<Repository, 'shown'> | undefined,
): DurantError {
  return shallow === undefined
    ? new DurantError(
        'branch-not-found',
        `There is no commit ${name}: the history of ${branch} ends before it.`,
        { remedy: 'Name a newer one.' },
      )
    : new DurantError(
        'branch-not-found',
        `${shallow.shown} is a shallow clone, whose history ends before ${name}.`,
        { remedy: 'Fetch more of it there', command: 'git fetch --unshallow' },
      );
}

/** The repository has no HEAD to deploy. */
export function noDefaultBranch(
  { shown }: Pick<Repository, 'shown'>,
  references: readonly Reference[],
): DurantError {
  const branches = references.filter((each) => each.kind === 'branch').map(shownName);
  return branches.length === 0
    ? new DurantError('branch-not-found', `${shown} has no commits yet.`, { remedy: 'Push a branch first.' })
    : new DurantError(
        'branch-not-found',
        `${shown} has no default branch, since its HEAD names none that exists.`,
        { remedy: `Set \`branch\` to one of ${branches.slice(0, 5).join(', ')}.` },
      );
}

/** `packed-refs` of a clone whose remote has this name: its branches under `refs/remotes/`, its tags as they are. */
export function packedReferences(references: readonly Reference[], remote: string): string {
  const lines = references
    .map((each) => ({
      ...each,
      full: each.kind === 'branch' ? `refs/remotes/${remote}/${each.name}` : `refs/tags/${each.name}`,
    }))
    .sort((a, b) => (a.full < b.full ? -1 : a.full > b.full ? 1 : 0))
    .map(({ id, full, peeled }) => `${id} ${full}\n${peeled === undefined ? '' : `^${peeled}\n`}`);
  return `# pack-refs with: peeled fully-peeled sorted \n${lines.join('')}`;
}
