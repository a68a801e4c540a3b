/** `durant ssh`: the system's ssh, as durant.conf has the server, in the live release. */
import { InvalidArgumentError } from 'commander';
import type { StageRequest } from '../../engine/index.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { printable } from '../../printable.ts';
import { openProject } from '../project.ts';

export const ssh = defineCommand({
  name: 'ssh',
  summary: 'Log in on a server of a stage, in the live release.',
  help: `
By the system's ssh, as the user, port and key of durant.conf. Without SERVER: the stage's first.

Examples:
  durant ssh production
  durant ssh production web2`,
  args: '<STAGE> [SERVER]',
  read([stage = '', server], options) {
    if (flag(options, 'json'))
      throw new InvalidArgumentError("'ssh' is interactive and does not support --json");
    return { stage, server };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { runInTerminal, sshCommand } = await import('../systemSsh.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'only for people');
    let request: StageRequest;
    try {
      request = await session.stageRequest(project, wanted.stage);
    } finally {
      session.renderer.close();
    }
    const { server } = request.settings;
    const chosen = { servers: wanted.server === undefined ? [] : [wanted.server], roles: [] };
    const servers = engine.selectServers(server, chosen, request.settings.ssh_port);
    const address = engine.firstServer({ stage: wanted.stage, servers });
    if (wanted.server === undefined && server.length > 1)
      printLine(
        context.output.stderr,
        `${printable(address.entry)}, the first of ${String(server.length)} servers; another: durant ssh ${printable(wanted.stage)} SERVER`,
      );
    const [program, ...args] = await sshCommand(request, address, {
      terminal: context.input.isTTY === true,
      env: context.env,
      signal: context.interruption.signal,
    });
    return runInTerminal(program, args);
  },
});
