/** Making a release live: from here on a failure puts every server back. */
import { throwIfCancelled } from '../../errors.ts';
import { forEachServer } from './parallel.ts';
import type { NamedRun } from './run.ts';
import { achieveSteps } from './runSteps.ts';
import type { Step } from './step.ts';

/** Works each step off on all servers before the next: none is asked how it feels while another still shows the old release. */
export async function publish<R extends NamedRun>(run: R, steps: readonly Step<R>[]): Promise<void> {
  run.phase = 'publishing';
  throwIfCancelled(run.signal);
  for (const step of steps)
    await forEachServer(run, (context) => achieveSteps(context, [step]), { atOnce: run.servers.length });
}
