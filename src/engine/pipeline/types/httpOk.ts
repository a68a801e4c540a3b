/** `type: http_ok`: an address answers as described. Nothing can be done for it but to ask again. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { ask, mayPass, NoAnswer, type HttpAnswer } from './httpRequest.ts';
import { looking } from './lastLook.ts';

/** What an answer was like. */
interface Found {
  /** Undefined where it is as described. */
  readonly why: string | undefined;
  /** Whether it may be as described later. */
  readonly mayPass: boolean;
}

export function httpOk(name: string, settings: GoalSettingsOf<'http_ok'>): SectionGoal {
  const get = (work: GoalWork): Promise<HttpAnswer> =>
    ask(settings.url, { redirect: 'manual', signal: work.signal });
  const judge = (answer: HttpAnswer): Found => {
    const { status } = answer;
    if (settings.status === undefined ? status < 200 || status > 399 : status !== settings.status)
      return {
        why: `${settings.url} answers ${String(status)}, not ${settings.status === undefined ? '200 to 399' : String(settings.status)}`,
        mayPass: mayPass(answer),
      };
    // What is served may still be the version before.
    if (settings.contains !== undefined && !answer.text.includes(settings.contains))
      return {
        why: `the answer of ${settings.url} does not contain "${settings.contains}"`,
        mayPass: true,
      };
    return { why: undefined, mayPass: false };
  };
  const look = async (work: GoalWork): Promise<Found> => {
    try {
      return judge(await get(work));
    } catch (error) {
      // Before the deploy nothing may answer there yet: that is no failure, only not achieved.
      if (!(error instanceof NoAnswer)) throw error;
      return { why: error.fact, mayPass: error.mayPass };
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
        throw new GoalFailure(`${why}.`, {
          remedy: 'Fix what is served there, or correct what is expected.',
          mayPass: passing,
        });
    },
  };
}
