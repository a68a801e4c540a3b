/** What lies on a server compared with the manifest of its release, byte for byte. Changes nothing but a temporary folder of its own. */
import { DurantError } from '../../errors.ts';
import { parameters, positional, scratchFolder } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Connection } from '../../remote/target.ts';
import { lookFunction } from '../inplace/lookFunction.ts';
import { escapePath, unescapePath } from '../tree/manifest.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction, type HashTool } from './serverFunctions.ts';

export interface CompareReleaseRequest {
  readonly connection: Connection;
  /** Absolute. */
  readonly projectDir: string;
  readonly release: string;
  readonly hashTool: HashTool;
  /** `inplace`: project_dir is the release, and only the manifest's paths are Durant's. */
  readonly strategy: 'releases' | 'inplace';
  /** Paths of the release that are links to shared ones: what is behind them is compared. */
  readonly through: readonly string[];
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

export interface PathDrift {
  /** Latin1. */
  readonly path: string;
  readonly kind: 'changed' | 'added' | 'deleted' | 'mode';
  readonly isFolder: boolean;
  /** It was so when the commands of the release's own run had ended. */
  readonly isOwn: boolean;
}

/**
 * Every path that is not as the manifest says, sorted; of folders that came or went only those that nothing else tells of.
 * @throws {DurantError} `verification-failed` where the release has no manifest, `remote-command-failed`.
 */
export async function compareRelease(request: CompareReleaseRequest): Promise<readonly PathDrift[]> {
  const { connection, release, signal, timeoutMs } = request;
  const { entry } = connection.address;
  const result = await connection.exec({
    script: compareScript(request),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const lines = result.stdout.toString('latin1').split('\n');
  if (lines[0] === 'no manifest')
    throw new DurantError(
      'verification-failed',
      `${entry} has no manifest of ${release}, so there is nothing to compare it with.`,
      { remedy: 'Deploy once more', command: 'durant deploy --again', server: entry },
    );
  if (result.status !== 0 || lines.at(-2) !== 'end')
    throw new DurantError(
      'remote-command-failed',
      `The release ${release} on ${entry} could not be compared with its manifest.`,
      {
        remedy: 'Fix the cause there, then try again.',
        server: entry,
        output: result.stderr.toString('utf8').trim(),
      },
    );
  return parseDrift(lines);
}

/** Lines `KIND OWN TYPE PATH`. */
export function parseDrift(lines: readonly string[]): readonly PathDrift[] {
  const found = new Map<string, PathDrift>();
  for (const line of lines) {
    const match = /^(changed|added|deleted|mode) (own|-) (.) (.+)$/s.exec(line);
    if (match === null) continue;
    const [, kind = '', own = '', type = '', escaped = ''] = match;
    const path = unescapePath(escaped);
    const drift: PathDrift = {
      path,
      kind: kind as PathDrift['kind'],
      isFolder: type === 'd',
      isOwn: own === 'own',
    };
    // A file whose content and mode changed is one that changed.
    if (found.get(path)?.kind !== 'changed') found.set(path, drift);
  }
  const drifts = [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  const parents = new Set(
    drifts.flatMap(({ path, kind }) => parentsOf(path).map((each) => `${kind} ${each}`)),
  );
  return drifts.filter(({ path, kind, isFolder }) => !isFolder || !parents.has(`${kind} ${path}`));
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

const compare = shellFile(import.meta.url, './compareRelease.sh');

/**
 * What the commands of the run itself did was done before its last look, which wrote the manifest or `.touched`: a path is the run's own as
 * long as nothing of it has changed since.
 */
export function compareScript({
  projectDir,
  release,
  hashTool,
  strategy,
  through,
}: Pick<CompareReleaseRequest, 'projectDir' | 'release' | 'hashTool' | 'strategy' | 'through'>): string {
  return [
    prologue(projectDir, hashTool),
    pathFunctions,
    scanFunction,
    hashFunctions,
    strategy === 'inplace' ? lookFunction('ctime') : '',
    `${scratchFolder('W')} || exit 1; export W`,
    parameters({ release, strategy }),
    positional(through.flatMap((path) => [path, escapePath(path)])),
    compare,
  ].join('\n');
}
