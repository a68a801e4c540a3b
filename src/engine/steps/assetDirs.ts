/**
 * `asset_dirs`: what the new release lacks of the assets of the releases before stays reachable: pages that are still open ask for it. A
 * release passes on only what it was built with, so that nothing is passed on for ever.
 */
import { quote, refuseLinks } from '../../remote/shell.ts';
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { newestFirst } from '../server/releases.ts';
import { trim } from './shared.ts';

export const assetDirs: Step = {
  name: 'asset_dirs',
  inRelease: true,
  applies({ settings }) {
    return isAskedFor(settings, 'asset_dirs');
  },
  async look({ run, server }) {
    const from = releasesBefore(server.facts);
    return from.length === 0
      ? { achieved: true, reason: 'there is no release whose assets could stay' }
      : {
          achieved: false,
          reason: `${run.settings.asset_dirs.join(', ')} to complete from ${from.join(', ')}`,
        };
  },
  async achieve({ run, server, signal }) {
    const names = releasesBefore(server.facts).map(quote).join(' ');
    const folders = run.settings.asset_dirs.map((path) => quote(trim(path))).join(' ');
    await runScript(
      server,
      `${refuseLinks()}
new=${quote(run.release)} t=${quote(`.durant/assets.${run.id}`)}
rm -rf "$t" && mkdir -m 700 "$t" || exit 1
${COMPLETE}
for folder in ${folders}; do for r in ${names}; do complete_from "$r" "$folder" || exit 1; done; done
mv -f "$t/taken" ".durant/manifests/$new.assets" 2>/dev/null
rm -rf "$t"`,
      { signal },
    );
  },
};

/** Newest first: of two releases with a file of one name the later one's is taken. */
function releasesBefore({ records }: Pick<ServerFacts, 'records'>): readonly string[] {
  return newestFirst(records.filter(({ state }) => state === 'finished')).map(({ name }) => name);
}

/** complete_from RELEASE FOLDER: plain files alone, none that the release took over itself. A folder that is shared has them anyway. */
export const COMPLETE = String.raw`complete_from() {
  from=releases/$1/$2 to=releases/$new/$2
  [ -d "$from" ] && ! [ -L "$from" ] && ! [ -L "$to" ] || return 0
  refuse_links "$to/x" || return 1
  (cd "$from" && find . -type f | sed 's#^\./##') > "$t/old" || return 1
  if [ -d "$to" ]; then (cd "$to" && find . ! -type d | sed 's#^\./##') > "$t/have" || return 1; else : > "$t/have"; fi
  if [ -f ".durant/manifests/$1.assets" ]; then
    below=$2/ awk 'index($0, ENVIRON["below"])==1{print substr($0, length(ENVIRON["below"])+1)}' ".durant/manifests/$1.assets" >> "$t/have"
  fi
  awk 'k==1{have[$0];next} !($0 in have)' k=1 "$t/have" k=2 "$t/old" > "$t/lacks"
  while IFS= read -r p; do
    case $p in */*) mkdir -p "$to/${'$'}{p%/*}";; *) mkdir -p "$to";; esac && cp -pP "$from/$p" "$to/$p" || return 1
    printf '%s/%s\n' "$2" "$p" >> "$t/taken"
  done < "$t/lacks"
}`;
