/** `durant mcp`: the tools of agents over standard input. */
import manifest from '../../../package.json' with { type: 'json' };
import { confirmationText, notConfirmed } from '../../agents/confirmation.ts';
import { createAgentSession } from '../../agents/session.ts';
import { AGENT_TOOLS } from '../../agents/tools.ts';
import { resolveStage } from '../../config/values/stage.ts';
import { english } from '../../format.ts';
import { defineCommand } from '../command.ts';
import { collectFacts } from '../machineFacts.ts';
import { flag } from '../optionValues.ts';
import { openProject } from '../project.ts';

export const mcp = defineCommand({
  name: 'mcp',
  summary: 'Let an agent look at stages: the Model Context Protocol over standard input.',
  help: `
For the configuration of an MCP client, which starts it in the project's folder. Its tools tell status,
problems, history and failures, and do dry runs. With --allow-deploy also deploy and rollback: only by
the plan of a dry run of the same session, confirmed by a person where the client can ask one.

Examples:
  durant mcp
  durant mcp --allow-deploy
  durant --config /srv/shop/durant.conf mcp`,
  options: [['--allow-deploy', 'offer durant_deploy and durant_rollback, too']],
  read(_, options) {
    return { allowDeploy: flag(options, 'allowDeploy') };
  },
  async run({ allowDeploy }, context) {
    const { env, cwd, options, interruption } = context;
    const [{ runAgentRequest, failed }, { createHost }, { serveMcp }] = await Promise.all([
      import('../../agents/run.ts'),
      import('../host.ts'),
      import('../mcpServer.ts'),
    ]);
    const place = { cwd, config: options.config };
    // Fails at once where there is none; later calls read it anew.
    const { file } = await openProject(place);
    const session = createAgentSession();
    // Keys, passwords and codes are for people: nobody is asked for them here.
    const host = createHost(context, () => Promise.resolve(undefined));
    await serveMcp(
      {
        version: manifest.version,
        instructions: instructions(allowDeploy),
        tools: AGENT_TOOLS.filter(({ effect }) => allowDeploy || effect === 'reads'),
        failed,
        question: (tool, input) => {
          if (tool.effect === 'reads') return undefined;
          const request = session.request(tool, input, file);
          if (!('plan' in request)) return undefined;
          const { question, lines } = confirmationText(request.plan, english);
          return {
            id: request.plan.digest,
            message: [question, ...lines, `Type ${request.stage} to go on.`].join('\n'),
            expect: request.stage,
          };
        },
        call: async (tool, input, { answer, progress, signal }) => {
          try {
            if (tool.effect === 'acts' && answer === 'no') throw notConfirmed();
            const request = session.request(tool, input, file);
            const project = await openProject(place);
            const outcome = await runAgentRequest(
              'plan' in request ? { ...request, confirmed: answer === 'yes' } : request,
              {
                host,
                doc: project.doc,
                file: project.file,
                signal,
                facts: (doc, names) =>
                  collectFacts(
                    project,
                    names.map((name) => resolveStage(doc, name)),
                    { env, signal },
                  ),
                emit: (event) => {
                  if (event.event === 'step' && event.state === 'running')
                    progress(event.server === null ? event.step : `${event.step} on ${event.server}`);
                },
              },
            );
            session.learn(request, outcome);
            return outcome;
          } catch (error) {
            return failed(error);
          }
        },
      },
      interruption.signal,
    );
    return 0;
  },
});

function instructions(allowDeploy: boolean): string {
  const acting = allowDeploy
    ? 'To deploy or roll back: call durant_dry_run, show the person what it found, then pass its plan to durant_deploy or durant_rollback.'
    : 'This server is read-only: it cannot deploy or roll back. A person can do that with durant deploy, or start it with --allow-deploy.';
  return `Durant deploys the git project of this folder to its servers over SSH, as durant.conf says. ${acting}`;
}
