/** `type: http_ok`: an address answers as described. Nothing can be done for it but to ask again. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { ask, mayPass, type HttpAnswer } from './httpRequest.ts';
import { looking } from './lastLook.ts';

export function httpOk(name: string, settings: GoalSettingsOf<'http_ok'>): SectionGoal {
  const get = (work: GoalWork): Promise<HttpAnswer> =>
    ask(settings.url, { redirect: 'manual', signal: work.signal });
  /** Undefined where the answer is as described. */
  const unlike = (answer: HttpAnswer): string | undefined => {
    const { status } = answer;
    if (settings.status === undefined ? status < 200 || status > 399 : status !== settings.status)
      return `${settings.url} answers ${String(status)}, not ${settings.status === undefined ? '200 to 399' : String(settings.status)}`;
    if (settings.contains !== undefined && !answer.text.includes(settings.contains))
      return `the answer of ${settings.url} does not contain "${settings.contains}"`;
    return undefined;
  };
  const look = async (work: GoalWork): Promise<{ why: string | undefined; mayPass: boolean }> => {
    try {
      const answer = await get(work);
      return { why: unlike(answer), mayPass: mayPass(answer) };
    } catch (error) {
      // Before the deploy nothing may answer there yet: that is no failure, only not achieved.
      if (!(error instanceof GoalFailure)) throw error;
      return { why: error.message.replace(/\.? Check the address.*$/, ''), mayPass: error.mayPass };
    }
  };
  const looks = looking(look);
  return {
    name,
    usesDirectory: false,
    network: true,
    async achieved(work) {
      return (await looks.now(work)).why === undefined;
    },
    async reason(work) {
      return (await looks.last(work)).why ?? `${settings.url} answers as described`;
    },
    async achieve(work) {
      const { why, mayPass: passing } = await look(work);
      if (why !== undefined)
        throw new GoalFailure(`${why}. See to what is served there, or correct what is expected.`, {
          mayPass: passing,
        });
    },
  };
}
