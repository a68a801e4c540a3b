/** The spare: a checked copy of the live release, made off the user's clock, that the next run turns into its release. */
import { quote } from '../../remote/shell.ts';
import {
  copyFunctions,
  hashFunctions,
  pathFunctions,
  prologue,
  scanFunction,
  stopSparesFunction,
  type HashTool,
} from './serverFunctions.ts';

export interface WarmCopyRequest {
  readonly projectDir: string;
  /** The live release. */
  readonly release: string;
  readonly run: string;
  readonly hashTool: HashTool;
}

/**
 * sh text: starts one detached process that makes `.durant/spare.<run>` of the live release, and returns at once. Older spares are
 * removed first. Not for `unchanged: link`, which wants no second copy.
 */
export function warmCopyScript(request: WarmCopyRequest): string {
  const folder = `.durant/spare.${request.run}`;
  return [
    '(',
    prologue(request.projectDir, request.hashTool),
    stopSparesFunction,
    `stop_spares ''; S=${quote(folder)}; umask 077; mkdir "$S" || exit 1`,
    `cat >"$S/make" <<'DURANT_SPARE_END'`,
    worker(request, folder),
    'DURANT_SPARE_END',
    'run=nohup; command -v setsid >/dev/null 2>&1 && run=setsid; command -v nice >/dev/null 2>&1 && run="nice -n 10 $run"',
    '$run sh "$S/make" </dev/null >/dev/null 2>&1 &',
    ')',
    '',
  ].join('\n');
}

/** sh text: ends a spare in the making and removes every spare, for a run that needs the space. */
export function spareStopScript(projectDir: string): string {
  return ['(', prologue(projectDir, 'sha256sum'), stopSparesFunction, `stop_spares ''`, ')', ''].join('\n');
}

/** What the detached process runs. The list is taken after a pause, so that a later change always shows in a ctime, and before hashing. */
export function worker(request: WarmCopyRequest, folder: string): string {
  return [
    prologue(request.projectDir, request.hashTool),
    `n=${quote(request.release)} run=${quote(request.run)} S=${quote(folder)} how=copy`,
    pathFunctions,
    scanFunction,
    hashFunctions,
    copyFunctions,
    String.raw`M=$D/manifests/$n W=$top/$S/work C=$top/$S/work; export W C
trap 'trap "" TERM; rm -f "$D/spare.lock"; kill -TERM 0; exit 143' TERM
give_up() { rm -rf "$S"; rm -f "$D/spare.lock"; exit 1; }
printf '%s %s\n' $$ "$run" >"$S/lock" && ln "$S/lock" "$D/spare.lock" || { rm -rf "$S"; exit 1; }
mkdir "$W" && [ -f "$M" ] || give_up
room() { df -Pk "$D" | awk -v k="$1" 'NR==2{exit !($4-k>=2*ENVIRON["size"] && $4-k>=$2/10)}'; }
size=$(awk '{s+=int($3/4096)*4+4} END{printf "%d",s}' "$M"); export size
room "$size" || give_up
touched=$M.touched; [ -f "$touched" ] || touched=/dev/null
copy_tree "releases/$n" "$S/tree" "$M" "$touched" && folders "$S/tree" || give_up
for try in 1 2 3; do
  sleep 2; [ -d "$S/tree" ] || give_up
  (cd "$S/tree" && scan) >"$S/list" && (cd "$S/tree" && describe) >"$W/new" || give_up
  awk '{p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1)} k==1{bad[p]=$0;next} (p in bad)&&bad[p]==$0{delete bad[p]} END{for(p in bad)print p}' k=1 "$W/new" k=2 "$M" >"$W/bad"
  [ -s "$W/bad" ] || break
  nul "$W/bad" | (cd "$S/tree" && xargs -0 rm -rf) || give_up
done
[ ! -s "$W/bad" ] && room 0 || give_up
awk 'k==1{have[$0];next} {p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1)} k==2{have[p];next} !(p in have){print p}' k=1 "$touched" k=2 "$W/new" k=3 "$M" >"$S/missing" || give_up
rm -rf "$W"; d=$($H <"$M"); printf '%s %.64s\n' "$n" "$d" >"$S/ready" && mv "$S/ready" "$S/for" || give_up
rm -f "$D/spare.lock" "$S/make" "$S/lock"`,
  ].join('\n');
}
