/**
 * `asset_dirs`: what the new release lacks of the assets of the releases before stays reachable: pages that are still open ask for it. A
 * release passes on only what it was built with, so that nothing is passed on for ever.
 */
import { quote, refuseLinks } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
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

/** Defines `complete_from RELEASE FOLDER`. */
export const COMPLETE = shellFile(import.meta.url, './assetDirs.sh');
