/** `.touched`: the paths of a release that later steps changed, which the next run must send anew. */
import { quote } from '../../remote/shell.ts';
import { hashFunctions, pathFunctions, prologue, scanFunction, type HashTool } from './serverFunctions.ts';

export interface TouchedRequest {
  readonly projectDir: string;
  readonly run: string;
  readonly release: string;
  readonly hashTool: HashTool;
}

/**
 * sh text: lists the paths of the release that no longer equal its manifest in `.durant/manifests/<release>.touched`. To be run before the
 * switch, after the last step that writes. Only what changed at or after the manifest was written is hashed.
 */
export function touchedScript(request: TouchedRequest): string {
  return [
    '(',
    prologue(request.projectDir, request.hashTool),
    `n=${quote(request.release)} T=${quote(`.durant/touched.${request.run}`)}`,
    pathFunctions,
    scanFunction,
    hashFunctions,
    String.raw`M=$D/manifests/$n R=releases/$n W=$top/$T; export W
rm -rf "$T"; mkdir -m 700 "$T" && : >"$W/f" && : >"$W/l" && : >"$W/touched" || exit 1
(cd "$D/manifests" && scan) >"$W/made" && (cd "$R" && scan) >"$W/scan" || exit 1
n=$n awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  k==1{ if(path(4)==ENVIRON["n"])since=$4; next }
  k==2{ p=path(4); have[p]=$1 " " $2 " " $3; at[p]=$4; next }
  { p=path(4) }
  have[p]!=$1 " " $2 " " $3 { print p >(ENVIRON["W"] "/touched"); next }
  $1!="d" && at[p] "" >= since "" { print p >(ENVIRON["W"] "/" $1) }' k=1 "$W/made" k=2 "$W/scan" k=3 "$M" || exit 1
(cd "$R" && hash_lists) || exit 1
awk 'k==1{h[substr($0,66)]=substr($0,1,64);next} k==2{asked[$0];next}
  { p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1) } (p in asked)&&h[p]!=$4{print p}' k=1 "$W/h" k=2 "$W/f" "$W/l" k=3 "$M" >"$W/more"
umask "$mask"; sort "$W/touched" "$W/more" >"$T/done" && mv "$T/done" "$M.touched"; s=$?
rm -rf "$T"; exit $s`,
    ')',
    '',
  ].join('\n');
}
