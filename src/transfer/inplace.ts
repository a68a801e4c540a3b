/**
 * The transfer of strategy `inplace`, in two round trips: what differs arrives in `.durant` and is checked there; then each file is moved to
 * its place by one rename. Between the two nothing of the project has changed.
 */
import { DurantError } from '../errors.ts';
import { quote } from '../remote/shell.ts';
import type { Connection } from '../remote/target.ts';
import { failure, readAnswer } from './answer.ts';
import { ownershipFunction } from './inplaceCompare.ts';
import type { InplacePlan } from './inplacePlan.ts';
import { hashToolOf, sendLoad, type LoadRequest } from './load.ts';
import { createManifest, escapePath, serializeManifest } from './manifest.ts';
import type { TransferFacts } from './probe.ts';
import type { Tree } from './scan.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction } from './serverFunctions.ts';

export interface StageRequest extends LoadRequest {
  readonly projectDir: string;
  readonly run: string;
  readonly plan: InplacePlan;
}

/**
 * Brings what the plan sends into `.durant/incoming.<run>` and checks it there.
 * @throws {DurantError} as the stream's `updateCode`.
 */
export async function stageInplace(request: StageRequest): Promise<void> {
  const { plan, carry } = request;
  const hashTool = hashToolOf(request);
  await sendLoad(request, { send: plan.send, remove: [] }, (decompress) => {
    const tar = 'tar -xpof - -C "$I/in"';
    const receive = decompress === undefined ? tar : `${decompress} | ${tar}`;
    return [
      prologue(request.projectDir, hashTool),
      carry === undefined && request.before !== ''
        ? `( umask "$mask"; cd "$top" || exit 1\n${request.before}\n) </dev/null || { echo transfer.failed=before; exit 1; }`
        : '',
      `I=${quote(`.durant/incoming.${request.run}`)} want=${createManifest(plan.send).digest}`,
      pathFunctions,
      scanFunction,
      hashFunctions,
      String.raw`W=$top/$I/work; export W
die() { echo "transfer.failed=$1"; exit 1; }
${carry === undefined ? 'rm -rf "$I/in"; ' : ''}mkdir -p "$I" && chmod 700 "$I" && mkdir -p "$W" "$I/in/tree" || die folder
${carry === undefined ? `${receive} && [ -f "$I/in/end" ] || die stream` : 'cat >/dev/null'}
folders "$I/in/tree"
(cd "$I/in/tree" && describe) >"$W/new" || die verify
got=$($H <"$W/new"); got=$(printf '%.64s' "$got"); [ "$got" = "$want" ] || die verify
sync -f "$I" 2>/dev/null || sync
echo transfer.done=yes`,
    ].join('\n');
  });
}

export interface PlaceRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly run: string;
  /** Name that the tree's manifest is kept under. */
  readonly release: string;
  readonly tree: Tree;
  readonly plan: InplacePlan;
  readonly facts: TransferFacts;
  /** sh text for project_dir that runs before anything is put in place. */
  readonly before: string;
  readonly signal: AbortSignal;
}

/** How it ended. Not begun: `before` failed, and everything is as it was. */
export type Placing =
  { readonly kind: 'placed' } | { readonly kind: 'not-begun' | 'failed'; readonly error: DurantError };

/**
 * Puts what was staged in place, file by file, then removes what the plan deletes, and notes what Durant has put there. A failure half way
 * has `changed` set and says how far it came.
 * @throws {DurantError} those of `Connection.exec`.
 */
export async function placeInplace(request: PlaceRequest): Promise<Placing> {
  const { connection, plan } = request;
  const result = await connection.exec({
    script: placeScript(request),
    input: instructions(request),
    signal: request.signal,
  });
  const answer = readAnswer(result.stdout);
  if (answer.isDone) return { kind: 'placed' };
  const server = connection.address.entry;
  const left = /^transfer\.left=\s*(\d+)$/m.exec(result.stdout.toString('latin1'))?.[1];
  const cause = failure(server, result, answer.failed);
  if (answer.failed === 'before') return { kind: 'not-begun', error: cause };
  if (left === undefined) return { kind: 'failed', error: cause };
  const placed = plan.sendFiles - Number(left);
  const error = new DurantError(
    cause.code,
    `${String(placed)} of ${String(plan.sendFiles)} files were put into project_dir on ${server} before it failed; the others are as they were. The next deploy completes it, a rollback takes it back. ${cause.message}`,
    { server, changed: true, cause },
  );
  return { kind: 'failed', error };
}

/** Lines `LETTER PATH`, then the manifest behind an empty line. */
function instructions({ plan, tree }: PlaceRequest): Buffer {
  const lines = (letter: string, paths: readonly string[]): string =>
    paths.map((path) => `${letter} ${escapePath(path)}\n`).join('');
  const text = [
    lines('c', plan.clear),
    lines('o', plan.obstacles),
    lines('m', plan.folders),
    lines('d', plan.deletions),
    lines('r', plan.emptied),
    '\n',
  ].join('');
  return Buffer.concat([Buffer.from(text, 'latin1'), serializeManifest(tree.manifest)]);
}

const afterD = '${line#D}';
const afterF = '${line#F}';
const folderOf = '${f%/*}';

function placeScript(request: PlaceRequest): string {
  return [
    prologue(request.projectDir, request.facts.hashTool ?? 'sha256sum'),
    `( umask "$mask"; cd "$top" || exit 1\n${request.before === '' ? ':' : request.before}\n) </dev/null || { echo transfer.failed=before; exit 1; }`,
    `I=${quote(`.durant/incoming.${request.run}`)} M=${quote(`.durant/manifests/${request.release}`)}`,
    pathFunctions,
    scanFunction,
    ownershipFunction,
    String.raw`W=$top/$I/place; export W
die() { echo "transfer.failed=$1"; echo "transfer.left=$(find "$I/in/tree" ! -type d | grep -c .)"; exit 1; }
rm -rf "$W"; mkdir -p "$W" || die folder
for x in c o m d r tree; do : >"$W/$x"; done
awk 'whole{ print >(ENVIRON["W"] "/tree"); next } $0==""{ whole=1; next } { print substr($0,3) >(ENVIRON["W"] "/" $1) }' || die folder
{ ownership; listed <"$W/tree"; } | sort -u >"$W/owned" && cp "$W/owned" "$D/owned.new" && mv "$D/owned.new" "$D/owned" || die folder
if [ -s "$W/c" ]; then nul "$W/c" | xargs -0 rm -f || die apply; fi
while IFS= read -r p; do raw "$p"; find "$f" -depth -type d -exec rmdir {} \; ; [ ! -d "$f" ] || [ -L "$f" ] || die apply; done <"$W/o"
if [ -s "$W/m" ]; then nul "$W/m" | xargs -0 mkdir -p || die apply; fi
(cd "$I/in/tree" && scan) | awk '$1!="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' | sort >"$W/files" || die apply
awk 'index($0,"\\")==0{ d=$0; if(!sub(/\/[^\/]*$/,"",d))d="."; if(!(d in g))order[++n]=d; g[d]=g[d] "\nF" $0 } END{ for(i=1;i<=n;i++)print "D" order[i] g[order[i]] }' "$W/files" >"$W/g"
(cd "$I/in/tree" || exit 1
  d=.; set --
  flush() { [ $# = 0 ] || mv -f "$@" "$top/$d/" || exit 1; }
  while IFS= read -r line; do
    case $line in
      D*) flush "$@"; set --; d=${afterD};;
      *) set -- "$@" "./${afterF}"; [ $# -lt 200 ] || { flush "$@"; set --; };;
    esac
  done <"$W/g"
  flush "$@"
  awk 'index($0,"\\")' "$W/files" | while IFS= read -r p; do raw "$p"; mv -f "$f" "$top/${folderOf}/" || exit 1; done) || die apply
if [ -s "$W/d" ]; then nul "$W/d" | xargs -0 rm -f || die apply; fi
while IFS= read -r p; do raw "$p"; rmdir "$f" 2>/dev/null; done <"$W/r"
awk 'k<3{ gone[$0]; next } !(substr($0,3) in gone)' k=1 "$W/d" k=2 "$W/r" k=3 "$W/owned" >"$D/owned.new" && mv "$D/owned.new" "$D/owned" || die finish
umask "$mask"; mkdir -p "$D/manifests" && cat "$W/tree" >"$M.new" && rm -f "$M.touched" && mv "$M.new" "$M" || die finish
rm -rf "$I"; sync -f . 2>/dev/null || sync
echo transfer.done=yes`,
  ].join('\n');
}
