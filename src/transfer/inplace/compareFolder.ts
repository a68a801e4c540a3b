/** The comparison of a tree with a folder that people may have changed: by content, and only at the paths of the tree and of earlier trees. */
import { gzipSync, gunzipSync } from 'node:zlib';
import { DurantError } from '../../errors.ts';
import { scratchFolder } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { serializeManifest, unescapePath, type EntryType, type Manifest } from '../tree/manifest.ts';
import { lookFunction } from './lookFunction.ts';
import {
  hashFunctions,
  pathFunctions,
  prologue,
  scanFunction,
  type HashTool,
} from '../stream/serverFunctions.ts';

export interface CompareRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly manifest: Manifest;
  readonly hashTool: HashTool;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** What stands at a path of the server where it is not what the tree has there. */
export interface Found {
  /** Latin1 path. */
  readonly path: string;
  readonly type: EntryType | 'other';
  readonly size: number;
  /** Milliseconds since the epoch; undefined where the server's tools do not tell. */
  readonly mtimeMs: number | undefined;
}

export interface Comparison {
  /** Paths of the tree that the folder lacks. */
  readonly absent: ReadonlySet<string>;
  /** Paths of the tree where something else stands. */
  readonly different: ReadonlyMap<string, Found>;
  /** Folders of the tree that are links on the server: to a folder inside project_dir, or out of it. */
  readonly linkedInside: ReadonlySet<string>;
  readonly linkedOutside: readonly string[];
  /** What is in folders that stand where the tree has a file or a link. */
  readonly under: readonly Found[];
  /** What earlier deploys put there and the tree lacks; folders are there to be removed when they are empty. */
  readonly owned: readonly Found[];
  /** Paths of `absent`, `different` and `owned` where the last deploy had left something else. */
  readonly drifted: ReadonlySet<string>;
  /** Whether an earlier deploy put anything there at all. */
  readonly isFirst: boolean;
}

/** A folder that is not there yet. */
export function emptyComparison(manifest: Manifest): Comparison {
  return {
    absent: new Set(manifest.entries.map((entry) => entry.path)),
    different: new Map(),
    linkedInside: new Set(),
    linkedOutside: [],
    under: [],
    owned: [],
    drifted: new Set(),
    isFirst: true,
  };
}

/**
 * Compares in one round trip. Changes nothing but a temporary folder of its own, which it removes.
 * @throws {DurantError} `remote-command-failed`, and those of `Connection.exec`.
 */
export async function compareInplace(request: CompareRequest): Promise<Comparison> {
  const { connection, manifest, signal, timeoutMs } = request;
  const result = await connection.exec({
    script: compareScript(request.projectDir, request.hashTool),
    input: gzipSync(serializeManifest(manifest), { level: 1 }),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const lines = result.status === 0 ? unpack(result.stdout) : [];
  const entry = connection.address.entry;
  if (lines.pop() !== 'end')
    throw new DurantError(
      'remote-command-failed',
      `project_dir on ${entry} could not be compared with the commit. Read what the server said, correct it there, then deploy again:`,
      { server: entry, output: result.stderr.toString('utf8').trim() },
    );
  return parseComparison(lines);
}

function unpack(packed: Buffer): string[] {
  try {
    return gunzipSync(packed).toString('latin1').trimEnd().split('\n');
  } catch {
    return [];
  }
}

const types: ReadonlyMap<string, Found['type']> = new Map([
  ['f', 'file'],
  ['l', 'link'],
  ['d', 'dir'],
]);

/** Lines `WHAT TYPE SIZE MTIME PATH`. */
export function parseComparison(lines: readonly string[]): Comparison {
  const absent = new Set<string>();
  const different = new Map<string, Found>();
  const linkedInside = new Set<string>();
  const linkedOutside: string[] = [];
  const under: Found[] = [];
  const owned: Found[] = [];
  const drifted = new Set<string>();
  let isFirst = true;
  for (const line of lines) {
    const match = /^(\S+) (\S+) (\S+) (\S+) (.*)$/s.exec(line);
    if (match === null) continue;
    const [, what = '', type = '', size = '', mtime = '', escaped = ''] = match;
    const path = unescapePath(escaped);
    const found: Found = {
      path,
      type: types.get(type) ?? 'other',
      size: Number(size) || 0,
      mtimeMs: /^\d+/.test(mtime) ? Number(mtime) * 1000 : undefined,
    };
    if (what === 'absent') absent.add(path);
    else if (what === 'different') different.set(path, found);
    else if (what === 'inside') linkedInside.add(path);
    else if (what === 'outside') linkedOutside.push(path);
    else if (what === 'under') under.push(found);
    else if (what === 'owned') owned.push(found);
    else if (what === 'drift') drifted.add(path);
    else if (what === 'known') isFirst = false;
  }
  return { absent, different, linkedInside, linkedOutside, under, owned, drifted, isFirst };
}

/**
 * ownership: prints what Durant has put into the project so far, as sorted lines `TYPE PATH`: what it has noted, else what the manifests
 * list. The working directory is project_dir.
 */
export const ownershipFunction = String.raw`
ownership() {
  if [ -f "$D/owned" ]; then cat "$D/owned"; else cat "$D"/manifests/* 2>/dev/null | listed | sort -u; fi
}
listed() { awk '{ t=$1; p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print t " " p }'; }
`;

/**
 * Of the paths where something else stands than the tree has, and of those that it lacks: what is no longer as the last deploy left it.
 * That this deploy's own commands have changed something is in `.touched`.
 */
const driftStage = String.raw`
if [ -f "$D/live" ] && IFS= read -r n <"$D/live" && [ -f "$D/manifests/$n" ]; then
  t=$D/manifests/$n.touched; [ -f "$t" ] || t=/dev/null
  for x in f l left drift; do : >"$W/$x"; done; [ -f "$W/have.gone" ] || : >"$W/have.gone"
  awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
    k==1{ own[$0]; next }
    { p=path(4) }
    k==2{ asked[p]; next }
    k==3{ if($1=="owned")asked[p]; next }
    k==4{ have[p]=$1 " " $2 " " $3; next }
    $1=="d"||!(p in asked)||(p in own){ next }
    have[p]!=$1 " " $2 " " $3{ print "drift - - - " p >(ENVIRON["W"] "/drift"); next }
    { print p >(ENVIRON["W"] "/" $1); print >(ENVIRON["W"] "/left") }' k=1 "$t" k=2 "$W/diff" k=3 "$W/out" k=4 "$W/have" "$W/have.gone" k=5 "$D/manifests/$n" &&
  hash_lists &&
  awk 'k==1{ h[substr($0,66)]=substr($0,1,64); next }
    { p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } h[p]!=$4{ print "drift - - - " p }' k=1 "$W/h" k=2 "$W/left" >>"$W/drift" || exit 1
  cat "$W/drift" >>"$W/out"
fi`;

export function compareScript(projectDir: string, hashTool: HashTool): string {
  return [
    prologue(projectDir, hashTool),
    'top=$(pwd -P)',
    pathFunctions,
    scanFunction,
    hashFunctions,
    lookFunction('mtime'),
    ownershipFunction,
    String.raw`${scratchFolder('W')} || exit 1; export W
gzip -dc >"$W/tree" || exit 1
awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' "$W/tree" >"$W/paths"
look "$W/paths" >"$W/have" || exit 1
for x in f l dl du diff; do : >"$W/$x"; done
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  function put(x) { print p >(ENVIRON["W"] "/" x) }
  k==1{ p=path(4); t[p]=$1; z[p]=$3; next }
  { p=path(4) }
  $1=="d"{ if(t[p]=="l")put("dl"); next }
  t[p]=="d"{ put("du"); next }
  t[p]==$1&&($1=="l"||z[p]==$3){ put($1) }' k=1 "$W/have" k=2 "$W/tree" || exit 1
hash_lists || exit 1
while IFS= read -r p; do
  raw "$p"
  if [ -d "$f" ]; then t=$(cd -P "$f" 2>/dev/null && pwd -P); case "$t/" in "$top"/?*) echo "inside - - - $p";; *) echo "outside - - - $p";; esac; fi
done <"$W/dl" >"$W/out"
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  k==1{ if($1=="inside"||$1=="outside")linked[path(4)]; next }
  k==2{ h[substr($0,66)]=substr($0,1,64); next }
  k==3{ p=path(4); t[p]=$1; m[p]=$2; z[p]=$3; at[p]=$4; next }
  { p=path(4) }
  !(p in t){ print "absent - - - " p; next }
  $1=="d"&&(t[p]=="d"||(p in linked)){ next }
  t[p]==$1&&m[p]==$2&&h[p]==$4{ next }
  { print "different " t[p] " " z[p] " " at[p] " " p }' k=1 "$W/out" k=2 "$W/h" k=3 "$W/have" k=4 "$W/tree" >>"$W/diff" || exit 1
while IFS= read -r p; do
  raw "$p"; q=$p; export q
  (cd "$f" && scan) | awk '{ t=$1; z=$3; p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print "under " t " " z " - " ENVIRON["q"] "/" p }'
done <"$W/du" >>"$W/out"
ownership >"$W/owned" || exit 1; [ ! -s "$W/owned" ] || echo 'known - - - .' >>"$W/out"
awk 'k==1{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); now[p]; next } !(substr($0,3) in now)' k=1 "$W/tree" k=2 "$W/owned" >"$W/gone" || exit 1
if [ -s "$W/gone" ]; then
  awk '{ p=substr($0,3); print p >(ENVIRON["W"] "/gone.paths"); while(match(p,"/[^/]*$")){ p=substr(p,1,RSTART-1); if(!(p in s)){ s[p]; print p } } }' "$W/gone" >"$W/parents" &&
    look "$W/parents" >"$W/have.parents" && look "$W/gone.paths" >"$W/have.gone" || exit 1
  awk 'k==1{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); seen[p]; next } !($0 in seen)' k=1 "$W/have.gone" k=2 "$W/gone.paths" >"$W/unseen" || exit 1
  while IFS= read -r p; do
    raw "$p"; if [ -e "$f" ] || [ -L "$f" ]; then echo "cannot inspect $p" >&2; exit 1; fi
  done <"$W/unseen"
  awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
    k==1{ if($1!="d")bad[path(4)]; next }
    k==2{ put[substr($0,3)]=$1; next }
    { p=path(4); q=p; ok=(put[p]==$1); while(match(q,"/[^/]*$")){ q=substr(q,1,RSTART-1); if(q in bad)ok=0 }
      if(ok)print "owned " $1 " " $3 " " $4 " " p }' k=1 "$W/have.parents" k=2 "$W/gone" k=3 "$W/have.gone" >>"$W/out" || exit 1
fi
${driftStage}
echo end >>"$W/diff"; cat "$W/out" "$W/diff" | gzip -1 -c`,
    '',
  ].join('\n');
}
