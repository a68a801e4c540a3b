/**
 * `beside`: the new release's process is started beside the one that visitors are led to, and asked there. Nothing that they see has changed
 * by then: a release that does not start, does not stay up or fails a check answers none of them.
 */
import { DurantError } from '../../errors.ts';
import { listensScript, startInstance } from '../app/instance.ts';
import { instanceOf, servingFiles, type ServiceSet } from '../app/serviceSet.ts';
import { parseRestarts } from '../app/unitStates.ts';
import { projectOf, wantedSet } from '../app/wanted.ts';
import { watchServices } from '../app/watchServices.ts';
import type { NamedRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { Step, StepContext } from '../run/step.ts';
import { askAll } from './healthChecks.ts';
import { note, runOrTell, settledSet } from './services.ts';
import { howPublished } from './servicesAssessment.ts';

export const beside: Step<NamedRun> = {
  name: 'beside',
  applies(run) {
    return run.servers.some(({ services }) => services?.instance !== undefined);
  },
  async look(context) {
    const { run, server, signal } = context;
    const { instance, before } = server.services ?? {};
    if (instance === undefined) return { achieved: true, reason: 'no site leads here' };
    const names = (set: ServiceSet): string =>
      set.units
        .map(({ name }) => name)
        .filter((name) => name.endsWith('.service'))
        .join(', ');
    const wanted = await wantedSet(run, server, signal);
    const next = instanceOf(wanted);
    const old = before === undefined ? '' : names({ ...before, units: servingFiles(before) });
    return {
      achieved: false,
      reason: [
        `${names(next)} to start${old === '' ? '' : ` beside ${old}`} and to be asked before the site leads to it`,
        ...(await howPublished(context, wanted)),
      ].join('; '),
    };
  },
  async achieve(context) {
    const { server } = context;
    note(server, { instance: 'begun' });
    const set = await settledSet(context);
    const instance = instanceOf(set);
    const script = startInstance({
      set: instance,
      project: projectOf(server),
      sudo: server.services?.sudo ?? { kind: 'free' },
    });
    const said = await runOrTell(context, instance, script);
    note(server, { started: performance.now(), restarts: parseRestarts(said) });
    await prove(context, set);
  },
};

/** @throws {DurantError} `health-check-failed`. */
async function prove(context: StepContext<NamedRun>, set: ServiceSet): Promise<void> {
  const instance = instanceOf(set);
  await watchServices(context, instance, 'once');
  try {
    await assertListens(context, set);
    await askAll(context, { set, of: 'instance' });
  } catch (error) {
    // A service that has gone down says more than that nobody answers.
    if (!context.signal.aborted) await watchServices(context, instance, 'once');
    throw error;
  }
  await watchServices(context, instance, 'to the end');
}

async function assertListens({ run, server, signal }: StepContext, { upstream }: ServiceSet): Promise<void> {
  const seconds = Math.max(1, Math.ceil(run.settings.watch / 1000));
  const { stdout } = await runScript(server, listensScript(upstream, seconds), { signal });
  if (stdout.toString('utf8').includes('listens=yes')) return;
  const { entry } = server.address;
  throw new DurantError(
    'health-check-failed',
    `On ${entry} nothing listens at ${upstream ?? ''} ${seconds} s after its start (watch).`,
    { server: entry },
  );
}
