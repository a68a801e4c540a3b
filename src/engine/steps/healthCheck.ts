/** `health_check`: after the switch, does the site answer? A failure here switches every server back. */
import { parseCommand } from '../../config/values/resolvers.ts';
import { wantedSet } from '../app/wanted.ts';
import type { NamedRun } from '../run/run.ts';
import type { Step } from '../run/step.ts';
import { assertCanAsk } from './askUrl.ts';
import { askAll, isAsked } from './healthChecks.ts';
import { checkServices, runsServices } from './services.ts';

export const healthCheck: Step<NamedRun> = {
  name: 'health_check',
  applies(run) {
    return run.settings.health_check.length > 0 || runsServices(run);
  },
  async assess({ run: { settings }, server, signal }) {
    if (settings.health_check.some((check) => isAsked(settings, parseCommand(check).command)))
      await assertCanAsk(server.connection, signal);
  },
  async look({ run }) {
    const asked = [...run.settings.health_check, ...(runsServices(run) ? ['systemd'] : [])];
    return { achieved: false, reason: `${asked.join(', ')} to be asked after the switch` };
  },
  async achieve(context) {
    const { run, server, signal } = context;
    await checkServices(context, 'once');
    try {
      const set = await wantedSet(run, server, signal);
      await askAll(context, { set, of: 'site' });
    } catch (error) {
      // A service that has gone down says more than that nobody answers.
      if (!signal.aborted) await checkServices(context, 'once');
      throw error;
    }
    await checkServices(context, 'to the end');
  },
  commands({ settings }) {
    return settings.health_check.filter((check) => !isAsked(settings, parseCommand(check).command));
  },
};
