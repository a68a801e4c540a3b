/** The one script of `update_code`: its stages, top to bottom, as sh text. `stream.ts` runs it. */
import { quote, quotePath } from '../../remote/shell.ts';
import {
  copyFunctions,
  hashFunctions,
  pathFunctions,
  prologue,
  scanFunction,
  stopSparesFunction,
  type HashTool,
} from './serverFunctions.ts';

/** What the stream's members are put on top of. */
export type Base =
  /** Nothing: the stream holds the whole tree. */
  | { readonly kind: 'fresh' }
  /** The live release's manifest paths; from the spare of a run where it is valid. */
  | { readonly kind: 'live'; readonly release: string; readonly spareRun: string | undefined }
  /** The release as an earlier script of this run left it, for files that had drifted. */
  | { readonly kind: 'kept' };

export interface UpdateScript {
  readonly projectDir: string;
  readonly run: string;
  readonly release: string;
  readonly commit: string;
  readonly base: Base;
  readonly unchanged: 'copy' | 'link';
  readonly hashTool: HashTool;
  /** `stream`: standard input is the tar stream; `delivered`: the tree lies in `incoming.RUN/in/tree`, the list of removals is the input. */
  readonly carrier: 'stream' | 'delivered';
  /** Reads the stream from standard input and writes the tar archive; undefined: it is not compressed. */
  readonly decompress: string | undefined;
  /** Digest of the manifest that must come out. */
  readonly digest: string;
  /** sh text for project_dir, before and after all of it; empty for none. */
  readonly before: string;
  readonly after: string;
}

/** Members of the stream beside the tree: paths to remove first, and a mark that it is whole. */
export const streamMembers = { tree: 'tree', remove: 'remove', end: 'end' } as const;

export function updateScript(script: UpdateScript): string {
  return [
    prologue(script.projectDir, script.hashTool),
    inProject(script.before, 'before'),
    `R=${quote(`releases/${script.release}`)} I=${quote(`.durant/incoming.${script.run}`)} M=${quote(`.durant/manifests/${script.release}`)}`,
    `want=${script.digest} how=${script.unchanged} base=${script.base.kind} commit=${quote(script.commit)}`,
    pathFunctions,
    scanFunction,
    hashFunctions,
    script.base.kind === 'live' ? copyFunctions : '',
    script.base.kind === 'kept' ? '' : stopSparesFunction,
    prepareStage(script),
    receiveStage(script),
    applyStage,
    verifyStage(script),
    finishStage,
    inProject(script.after, 'after'),
    'echo transfer.done=yes',
  ].join('\n');
}

/** The engine's own scripts want the login user's umask, and may set what they like. */
function inProject(text: string, stage: 'before' | 'after'): string {
  return text === ''
    ? ''
    : `( umask "$mask"; cd "$top" || exit 1\n${text}\n) </dev/null || { echo transfer.failed=${stage}; exit 1; }`;
}

function prepareStage({ base, carrier }: UpdateScript): string {
  const privateFolders = String.raw`W=$top/$I/work C=$top/$I/copy; export W C
die() { echo "transfer.failed=$1"; exit 1; }
${carrier === 'stream' ? 'rm -rf "$I/in"; ' : ''}mkdir -p "$I" && chmod 700 "$I" && mkdir -p "$W" "$C" "$I/in" || die folder
`;
  if (base.kind === 'kept') return `${privateFolders}live=$W/new\n`;
  // A release folder may be there already, with what hooks put into it.
  const empty = String.raw`[ ! -d "$R" ] || rmdir "$R" 2>/dev/null || mv "$R" "$I/kept" || die folder
`;
  if (base.kind === 'fresh') return `${privateFolders}stop_spares ''\n${empty}`;
  const spare = base.spareRun ?? '';
  return [
    privateFolders,
    `live=${quote(`.durant/manifests/${base.release}`)} from=${quote(`releases/${base.release}`)} spare=${quote(spare)}`,
    'stop_spares "$spare"',
    empty,
    String.raw`same() { cmp -s "$1" "$2" || { sort "$1" >"$C/s1"; sort "$2" >"$C/s2"; cmp -s "$C/s1" "$C/s2"; }; }
use_spare() {
  [ -n "$spare" ] && [ -d "$D/spare.$spare/tree" ] && mv "$D/spare.$spare/tree" "$R" || return
  (cd "$R" && scan) >"$C/have" && same "$C/have" "$D/spare.$spare/list" && return
  rm -rf "$R"; return 1
}
{ if use_spare; then echo spare; else copy_tree "$from" "$R" "$live" "$live.touched" && folders "$R" && echo copy; fi >"$W/base"; } &
job=$!`,
  ].join('\n');
}

/** While the base is being copied in the background. */
function receiveStage({ base, carrier, decompress }: UpdateScript): string {
  const tar = '$TAR -xpof - -C "$I/in"';
  const receive = decompress === undefined ? tar : `${decompress} | ${tar}`;
  return [
    carrier === 'stream' ? receive : 'cat >"$I/in/remove" && : >"$I/in/end"',
    'received=$?',
    base.kind === 'live' ? 'wait $job || die base; base=$(cat "$W/base")' : '',
    '[ $received = 0 ] && [ -f "$I/in/end" ] || die stream',
    'folders "$I/in/tree" || die stream',
    '',
  ].join('\n');
}

/** Everything that changes goes before anything is put in its place: tar and cp cannot be trusted with a change of type. */
const applyStage = String.raw`
: >>"$I/in/remove"; whole=
case $base in
  fresh) mv "$I/in/tree" "$R" || die apply; whole=yes;;
  *)
    [ "$base" != copy ] || whole=yes
    if [ -s "$I/in/remove" ]; then nul "$I/in/remove" | (cd "$R" && xargs -0 rm -rf) || die apply; fi
    if ! cp -RPpl "$I/in/tree/." "$R" 2>/dev/null; then
      whole=yes; (cd "$I/in/tree" && $TAR cf - .) | (cd "$R" && $TAR xpof -) || die apply; folders "$R"
    fi;;
esac
chmod 755 "$R"
`;

/** The manifest is made of what is on disk; with the digest that was wanted, the release is the tree, byte for byte. */
function verifyStage({ base }: UpdateScript): string {
  const drift = String.raw`
  [ "$base" = copy ] || die verify
  (cd "$I/in/tree" && scan) | awk '{p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p}' >"$W/sent"
  awk 'k==1{out[$0];next} {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)}
    k==2{have[p]=$0;next} p in out{next} have[p]!=$0{print p} {out[p]} END{for(p in have)if(!(p in out))print p}' k=1 "$I/in/remove" "$W/sent" k=2 "$W/new" k=3 "$live" >"$W/drift"
  [ -s "$W/drift" ] || die verify
  nul "$W/drift" | (cd "$R" && xargs -0 rm -rf) || die verify
  awk 'k==1{out[$0];next} {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} !(p in out)' k=1 "$W/drift" k=2 "$W/new" >"$W/new2" && mv "$W/new2" "$W/new"
  sed 's/^/transfer.drift=/' "$W/drift"; exit 0`;
  return String.raw`
if [ -n "$whole" ]; then (cd "$R" && describe) >"$W/new2" || die look
else
  (cd "$I/in/tree" && describe) >"$W/got" || die look
  awk '{p=$0; if(k>1)sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} k<3{out[p];next} !(p in out)' k=1 "$I/in/remove" k=2 "$W/got" k=3 "$live" |
    sort -m -t ' ' -k 5 - "$W/got" >"$W/new2" || die verify
fi
mv "$W/new2" "$W/new"
got=$($H <"$W/new"); got=$(printf '%.64s' "$got")
if [ "$got" != "$want" ]; then${base.kind === 'live' ? drift : '\n  die verify'}
fi
`;
}

const finishStage = String.raw`
echo "transfer.base=$base"
rm -rf "$I/in"
if [ -d "$I/kept" ]; then (cd "$I/kept" && R=$top/$R && export R &&
  find . -type d -exec sh -c 'for p; do [ -e "$R/$p" ] || mkdir "$R/$p"; done' sh {} + &&
  find . ! -type d -exec sh -c 'for p; do [ -e "$R/$p" ] || [ -L "$R/$p" ] || mv "$p" "$R/$p"; done' sh {} +)
fi 2>/dev/null
rm -f "$R/REVISION"; printf '%s\n' "$commit" >"$R/REVISION" && chmod 644 "$R/REVISION" || die finish
umask "$mask"; mkdir -p "$D/manifests" && cat "$W/new" >"$I/manifest" && rm -f "$M.touched" && mv "$I/manifest" "$M" || die finish
rm -rf "$I"; [ -z "$spare" ] || rm -rf "$D/spare.$spare"
`;

/**
 * sh text that removes what a failed `update_code` of this run left: the release's folder, its manifest, and everything of the run in
 * `.durant`. Not for a release that is live.
 */
export function cleanupScript(projectDir: string, run: string, release: string): string {
  return [
    `(cd ${quotePath(projectDir)} && rm -rf ${quote(`releases/${release}`)} ${quote(`.durant/incoming.${run}`)} \\`,
    `  ${quote(`.durant/touched.${run}`)} ${quote(`.durant/manifests/${release}`)} ${quote(`.durant/manifests/${release}.touched`)})`,
    '',
  ].join('\n');
}
