/** What lies on a server compared with the manifest of its release, byte for byte. Changes nothing but a temporary folder of its own. */
import { DurantError } from '../../errors.ts';
import { quote, scratchFolder } from '../../remote/shell.ts';
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
      `${entry} has no manifest of ${release}, so there is nothing to compare it with. Deploy once more: durant deploy --again`,
      { server: entry },
    );
  if (result.status !== 0 || lines.at(-2) !== 'end')
    throw new DurantError(
      'remote-command-failed',
      `The release ${release} on ${entry} could not be compared with its manifest. Read what the server said:`,
      { server: entry, output: result.stderr.toString('utf8').trim() },
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
  const list =
    strategy === 'inplace'
      ? String.raw`R=.
awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' "$M" >"$W/paths" && look "$W/paths" >"$W/scan" || exit 1
for f in "$M" "$M.touched"; do [ ! -f "$f" ] || printf '%s\n' "$f"; done >"$W/noted.paths"; look "$W/noted.paths" >"$W/noted" || exit 1`
      : String.raw`R=releases/$n
(cd "$R" && scan) >"$W/inside" || exit 1
: >"$W/behind"; : >"$W/links"
${through.map((path) => `through ${quote(path)} ${quote(escapePath(path))}`).join('\n')}
awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } k==1{ link[$0]; next } !(p in link)' k=1 "$W/links" k=2 "$W/inside" >"$W/scan"
cat "$W/behind" >>"$W/scan"
(cd "$D/manifests" && scan) | n=$n awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } p==ENVIRON["n"]||p==ENVIRON["n"] ".touched"' >"$W/noted"`;
  return [
    prologue(projectDir, hashTool),
    pathFunctions,
    scanFunction,
    hashFunctions,
    strategy === 'inplace' ? lookFunction('ctime') : throughFunction,
    `n=${quote(release)}`,
    String.raw`M=$D/manifests/$n
[ -f "$M" ] || { echo 'no manifest'; exit 0; }
${scratchFolder('W')} || exit 1; export W
t=$M.touched; [ -f "$t" ] || t=/dev/null
${list}
for x in f l left; do : >"$W/$x"; done
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  function own(p) { return at[p] "" <= since "" ? "own" : "-" }
  k==1{ touched[$0]; next }
  k==2{ if($4 "" > since "")since=$4; next }
  { p=path(4) }
  k==3{ type[p]=$1; mode[p]=$2; size[p]=$3; at[p]=$4; next }
  { listed[p]; o=(p in touched) }
  !(p in type){ print "deleted " (o?"own":"-") " " $1 " " p; next }
  type[p]!=$1||($1!="d"&&size[p]!=$3){ print "changed " (o?own(p):"-") " " $1 " " p; next }
  mode[p]!="-"&&mode[p]!=$2{ print "mode " (o?own(p):"-") " " $1 " " p }
  $1!="d"{ print p >(ENVIRON["W"] "/" $1); print $4 " " (o?own(p):"-") " " $1 " " p >(ENVIRON["W"] "/left") }
  END{ for(p in type)if(!(p in listed))print "added " own(p) " " type[p] " " p }' k=1 "$t" k=2 "$W/noted" k=3 "$W/scan" k=4 "$M" >"$W/out" || exit 1
(cd "$R" && hash_lists) || exit 1
awk 'k==1{ h[substr($0,66)]=substr($0,1,64); next }
  { p=$0; sub(/^[^ ]* [^ ]* [^ ]* /,"",p) } h[p]!=$1{ print "changed " $2 " " $3 " " p }' k=1 "$W/h" k=2 "$W/left" >>"$W/out"
cat "$W/out"; echo end`,
    '',
  ].join('\n');
}

/** through PATH ESCAPED: what is behind a link of the release, as if it stood in its place; a mode of `-` is not compared. */
const throughFunction = String.raw`
through() {
  [ -L "$R/$1" ] && [ -e "$R/$1" ] || return 0
  printf '%s\n' "$2" >>"$W/links"
  if [ -d "$R/$1" ]; then
    printf 'd - 0 - %s\n' "$2" >>"$W/behind"
    (cd "$R/$1" && scan) | P=$2 awk '{ h=$1 " " $2 " " $3 " " $4; print h " " ENVIRON["P"] "/" substr($0,length(h)+2) }' >>"$W/behind"
  else printf 'f - %s - %s\n' "$(($(wc -c <"$R/$1")))" "$2" >>"$W/behind"; fi
}
`;
