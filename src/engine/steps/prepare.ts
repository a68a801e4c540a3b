/** `prepare`: project_dir and Durant's folders in it. `lock` makes them too, in its own round trip, where no hook comes between. */
import { asDurantError } from '../../errors.ts';
import type { Connection } from '../../remote/target.ts';
import { assessServer, switchUnsupported } from '../server/preflight.ts';
import { prepareScript } from '../server/lockScripts.ts';
import { serverFailure } from '../run/script.ts';
import { oncePerRun } from '../run/parallel.ts';
import type { Run } from '../run/run.ts';
import type { Step } from '../run/step.ts';

export const prepare: Step<Run> = {
  name: 'prepare',
  async assess({ run, server }) {
    assessServer(server.address.entry, server.facts, run.settings, server.connection);
    if (run.strategy.layout.hasReleases && server.facts.switchBy === undefined)
      await assessPosixRename(server.address.entry, server.connection);
    if (server.facts.hidden && !server.facts.managed)
      await oncePerRun(run, `hidden:${server.address.entry}`, async () => {
        const message = hiddenWords(server.address.entry, run.settings.project_dir);
        run.emit({ event: 'warning', code: 'hidden-from-others', message, server: server.address.entry });
      });
  },
  async look({ run, server }) {
    const { managed, layout, exists } = server.facts;
    if (managed) return { achieved: layout !== undefined, reason: 'project_dir is set up' };
    return {
      achieved: false,
      reason: exists
        ? 'project_dir has no .durant yet'
        : `project_dir ${run.settings.project_dir} does not exist yet`,
    };
  },
  async achieve({ run, server, signal }) {
    const result = await server.connection.exec({
      script: prepareScript(run.settings.project_dir, run.settings.strategy),
      signal,
    });
    if (result.status !== 0) throw serverFailure(server, result);
    // Where it is, links and `~` resolved: before_lock runs there.
    server.facts = {
      ...server.facts,
      exists: true,
      project: result.stdout.toString('utf8').replace(/\n$/, ''),
    };
  },
};

/** What is said of a project_dir that the login user alone can enter. */
export function hiddenWords(server: string, projectDir: string): string {
  return `${projectDir} on ${server} can be entered by the login user alone (umask 077?): a web server of another user sees nothing in it. Give that user umask 022, or open the folders: chmod o+x`;
}

/** Asks for a rename that cannot happen: whether the server knows the request shows in how it refuses. */
async function assessPosixRename(server: string, connection: Connection): Promise<void> {
  const nowhere = '/nonexistent/durant-probe';
  const refusal = await connection
    .posixRename?.(nowhere, `${nowhere}-2`)
    .catch((error: unknown) => asDurantError(error).code);
  if (refusal === 'switch-unsupported' || connection.posixRename === undefined)
    throw switchUnsupported(server);
}
