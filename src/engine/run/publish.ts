/** Making a release live, wave after wave: from here on a failure puts every server that was switched back. */
import { throwIfCancelled } from '../../errors.ts';
import { healthCheck } from '../steps/healthCheck.ts';
import { forEachServer } from './parallel.ts';
import type { NamedRun } from './run.ts';
import { achieveSteps } from './runSteps.ts';
import type { Step } from './step.ts';
import { timed } from './timed.ts';
import { wavesOf, type Wave } from './waves.ts';

/** Between two health checks in the pause after a wave. */
const BETWEEN_CHECKS_MS = 5_000;

/** Works each step off on all servers of a wave before the next: none is asked how it feels while another still shows the old release. */
export async function publish<R extends NamedRun>(run: R, steps: readonly Step<R>[]): Promise<void> {
  run.phase = 'publishing';
  for (const wave of wavesOf(run)) {
    throwIfCancelled(run.signal);
    run.wave = wave;
    for (const step of steps)
      await forEachServer(run, (context) => achieveSteps(context, [step]), {
        servers: wave.servers,
        atOnce: wave.servers.length,
      });
    if (wave.number < wave.of) await pauseAfter(run, wave);
  }
  run.wave = undefined;
}

/** Lets visitors try what is live so far: for `wave_pause` the servers that were switched are checked again and again. */
async function pauseAfter(run: NamedRun, { number, of }: Wave): Promise<void> {
  const { wave_pause: pause } = run.settings;
  if (pause === undefined || pause === 0) return;
  const servers = run.servers.filter(({ previous }) => previous !== undefined);
  const watch = async (): Promise<void> => {
    for (let left = pause; left > 0;) {
      const wait = Math.min(left, BETWEEN_CHECKS_MS);
      await run.host.sleep(wait, run.signal);
      const asked = performance.now();
      if (healthCheck.applies?.(run) === true)
        await forEachServer(run, async (context) => healthCheck.achieve?.(context), {
          servers,
          atOnce: servers.length,
        });
      left -= wait + (performance.now() - asked);
    }
  };
  await timed(
    { run, server: undefined },
    'wave_pause',
    async () => {
      await watch();
      return { state: 'done', reason: null };
    },
    `wave ${number} of ${of} is live; the next follows in ${pause / 1000} s`,
  );
}
