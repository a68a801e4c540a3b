/** From a command to the function that does it. Each is loaded when it is called: `--help` and `check` need no ssh. */
import type { Context } from './context.ts';
import type { Command } from './invocation.ts';

/** Resolves with the exit status. @throws {DurantError} what the command could not do. */
export async function runCommand(command: Command, context: Context): Promise<number> {
  switch (command.name) {
    case 'init':
      return (await import('./commands/init.ts')).init(context);
    case 'check':
      return (await import('./commands/check.ts')).check(command, context);
    case 'config':
      return (await import('./commands/config.ts')).config(command, context);
    case 'stages':
      return (await import('./commands/stages.ts')).stages(context);
    case 'deploy':
      return (await import('./commands/deploy.ts')).deploy(command, context);
    case 'rollback':
      return (await import('./commands/rollback.ts')).rollback(command, context);
    case 'adopt':
      return (await import('./commands/adopt.ts')).adopt(command, context);
    case 'unlock':
      return (await import('./commands/unlock.ts')).unlock(command, context);
    case 'releases':
      return (await import('./commands/releases.ts')).releases(command, context);
    case 'goals':
      return (await import('./commands/goals.ts')).goals(command, context);
    case 'prune':
      return (await import('./commands/prune.ts')).prune(command, context);
    case 'ssh':
      return (await import('./commands/ssh.ts')).ssh(command, context);
    case 'app':
      return (await import('./commands/app.ts')).app(command, context);
    case 'templates':
      return (await import('./commands/templates.ts')).templates(command, context);
    case 'completion':
      return (await import('./commands/completion.ts')).completion(command, context);
    case '__complete':
      return (await import('./commands/complete.ts')).complete(command, context);
    case 'status':
      return (await import('./commands/status.ts')).status(command, context);
  }
}
