/** `type: gem_pushed`: a registry lists a gem's version. By RubyGems' API, so that the key is in no command line. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { gemFile } from './gemBuilt.ts';
import { ask, below, field, httpFailure, mayPass } from './httpRequest.ts';
import { looking } from './lastLook.ts';

export function gemPushed(name: string, settings: GoalSettingsOf<'gem_pushed'>): SectionGoal {
  const { version, base_url: base, authorization } = settings;
  const what = `${settings.name} ${version}`;
  const remedy = 'Check authorization: an API key of the registry that may push this gem.';
  const listed = async ({ signal }: GoalWork): Promise<boolean> => {
    const url = below(base, `api/v1/versions/${encodeURIComponent(settings.name)}.json`);
    const answer = await ask(url, { signal });
    // A gem that was never pushed.
    if (answer.status === 404) return false;
    if (answer.status !== 200 || !Array.isArray(answer.json))
      throw httpFailure(`Asking for the versions of ${settings.name}`, url, answer, 'Check base_url.');
    return answer.json.some((each) => field(each, 'number') === version);
  };
  const looks = looking(listed);
  return {
    name,
    usesDirectory: true,
    network: true,
    async assess(work) {
      const { signal } = work;
      // What is there already needs no key.
      if (await listed(work)) return;
      if (authorization === undefined)
        throw new GoalFailure(`There is no API key to push ${what} with.`, {
          remedy: 'Set authorization, e.g. to secret!rubygems.',
        });
      const url = below(base, 'api/v1/gems.json');
      const answer = await ask(url, { headers: { authorization }, signal });
      // 403 is a key that may push and not list: its right.
      if (answer.status === 401 || mayPass(answer))
        throw httpFailure('Using the API key', url, answer, remedy);
    },
    achieved: looks.now,
    async reason(work) {
      return (await looks.last(work)) ? `${base} lists ${what}` : `${base} does not list ${what} yet`;
    },
    async achieve({ directory, signal }) {
      const file = join(directory, gemFile(settings));
      if (!(await stat(file).catch(() => undefined))?.isFile())
        throw new GoalFailure(`There is no ${gemFile(settings)} in ${directory} to push.`, {
          remedy: 'Build it first, e.g. by a goal of type gem_built.',
        });
      const url = below(base, 'api/v1/gems');
      const answer = await ask(url, {
        method: 'POST',
        headers: { authorization: authorization ?? '' },
        body: { file },
        signal,
      });
      if (answer.status < 200 || answer.status > 299)
        throw httpFailure(`Pushing ${what}`, url, answer, remedy);
    },
  };
}
