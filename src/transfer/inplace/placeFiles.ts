/**
 * The transfer of strategy `inplace`, in two round trips: what differs arrives in `.durant` and is checked there; then each file is moved to
 * its place by one rename. Between the two nothing of the project has changed.
 */
import { DurantError } from '../../errors.ts';
import { enterFolder, quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { failure, readAnswer } from '../stream/answer.ts';
import { ownershipFunction } from './compareFolder.ts';
import type { InplacePlan } from './inplacePlan.ts';
import { hashToolOf, sendLoad, type LoadRequest } from '../stream/load.ts';
import { createManifest, escapePath, serializeManifest } from '../tree/manifest.ts';
import type { TransferFacts } from '../stream/probe.ts';
import type { Tree } from '../tree/scan.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction } from '../stream/serverFunctions.ts';

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
    const tar = '$TAR -xpof - -C "$I/in"';
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
    lines('l', plan.linkedInside),
    lines('c', plan.clear),
    lines('o', plan.obstacles),
    lines('m', plan.folders),
    lines('d', plan.deletions),
    lines('r', plan.emptied),
    '\n',
  ].join('');
  return Buffer.concat([Buffer.from(text, 'latin1'), serializeManifest(tree.manifest)]);
}

const afterFirst = '${line#?}';
const withoutDot = '${f#./}';

/**
 * in_folders LIST MISSING COMMAND: runs COMMAND with the names of LIST's paths in the folder that they lie in, `$d`, one folder after the
 * other. What the shell has entered is looked at before: a folder that became a link since the comparison fails, saying so. One that is gone
 * fails, or is passed over with MISSING `skip`. (In busybox's awk `[^\\/]` is no backslash either, so the expression is a string.) Links that the comparison has found inside the project are in `$W/l`.
 */
const inFoldersFunction = String.raw`
in_folders() {
  awk 'k==1{ linked[$0]; next }
    { d=$0; b=$0; if(sub("/[^/]*$","",d))b=substr(b,length(d)+2); else d="."
      if(d!=last){ x="D"; q=d; do if(q in linked)x="L"; while(sub("/[^/]*$","",q)); print x d; last=d }
      print "N" b }' k=1 "$W/l" k=2 "$1" >"$W/g" || return
  missing=$2; shift 2; command=$*
  (set --; d=
    unescaped() { case $1 in *\\*) raw "$1";; *) f=./$1;; esac; }
    run() { [ $# = 0 ] || $command "$@"; }
    while IFS= read -r line; do
      unescaped "${afterFirst}"
      case $line in
        N*) [ -z "$d" ] || set -- "$@" "$f"; [ $# -lt 200 ] || { run "$@" || exit 1; set --; }; continue;;
      esac
      run "$@" || exit 1; set --; d=${withoutDot}
      case $line in D*) enter "$d";; *) enter_linked "$d";; esac && continue
      if [ "$missing" = skip ] && ! [ -e "$top/$d" ] && ! [ -L "$top/$d" ]; then d=; continue; fi
      printf '%s\n' "$d: since the comparison a folder on this path became a link or went away, so nothing was changed in it" >&2; exit 1
    done <"$W/g"
    run "$@")
}
enter_linked() {
  cd -P "$top" && cd -P "./$1" 2>/dev/null && where_am_i && case $cwd/ in "$top/$D/"*) false;; "$top"/?*) :;; *) false;; esac
}
bring() { for x; do set -- "$@" "$top/$I/in/tree/$d/$x"; shift; done; mv -f "$@" .; }
rmdirs() { rmdir "$@" 2>/dev/null; :; }
`;

export function placeScript(
  request: Pick<PlaceRequest, 'projectDir' | 'run' | 'release' | 'before'> & {
    readonly facts: Pick<PlaceRequest['facts'], 'hashTool'>;
    readonly plan: Pick<PlaceRequest['plan'], 'sendFiles'>;
  },
): string {
  return [
    prologue(request.projectDir, request.facts.hashTool ?? 'sha256sum'),
    `( umask "$mask"; cd "$top" || exit 1\n${request.before === '' ? ':' : request.before}\n) </dev/null || { echo transfer.failed=before; exit 1; }`,
    `I=${quote(`.durant/incoming.${request.run}`)} M=${quote(`.durant/manifests/${request.release}`)} count=${String(request.plan.sendFiles)}`,
    pathFunctions,
    scanFunction,
    ownershipFunction,
    enterFolder(),
    inFoldersFunction,
    String.raw`W=$top/$I/place; export W
die() { echo "transfer.failed=$1"; echo "transfer.left=$(find "$I/in/tree" ! -type d | grep -c .)"; exit 1; }
rm -rf "$W"; mkdir -p "$W" || die folder
for x in l c o m d r tree; do : >"$W/$x"; done
awk 'whole{ print >(ENVIRON["W"] "/tree"); next } $0==""{ whole=1; next } { print substr($0,3) >(ENVIRON["W"] "/" $1) }' || die folder
{ ownership; listed <"$W/tree"; } | sort -u >"$W/owned" && cp "$W/owned" "$D/owned.new" && mv "$D/owned.new" "$D/owned" || die folder
in_folders "$W/c" skip rm -f || die apply
while IFS= read -r p; do
  raw "$p"; q=$p; export q; printf '%s\n' "$p"
  (cd "$f" && scan) | awk '$1=="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print ENVIRON["q"] "/" p }'
done <"$W/o" | sort -r >"$W/emptied"
in_folders "$W/emptied" skip rmdirs || die apply
in_folders "$W/m" fail mkdir -p || die apply
(cd "$I/in/tree" && scan) | awk '$1!="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); i=p; if(!sub("/[^/]*$","",i))p=".//" p; else p=i "/" substr(p,length(i)+1); print p }' |
  sort | sed 's,//,/,' >"$W/files" || die apply
[ "$(wc -l <"$W/files")" -eq "$count" ] || die apply
in_folders "$W/files" fail bring || die apply
in_folders "$W/d" skip rm -f || die apply
in_folders "$W/r" skip rmdirs || die apply
awk 'k<3{ gone[$0]; next } !(substr($0,3) in gone)' k=1 "$W/d" k=2 "$W/r" k=3 "$W/owned" >"$D/owned.new" && mv "$D/owned.new" "$D/owned" || die finish
umask "$mask"; mkdir -p "$D/manifests" && cat "$W/tree" >"$M.new" && rm -f "$M.touched" && mv "$M.new" "$M" || die finish
rm -rf "$D"/incoming.*; sync -f . 2>/dev/null || sync
echo transfer.done=yes`,
  ].join('\n');
}
