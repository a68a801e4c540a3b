/** The commands, in the order of the help. */
import type { CliCommand } from '../command.ts';
import { adopt } from './adopt.ts';
import { app } from './app.ts';
import { check } from './check.ts';
import { completion } from './completion.ts';
import { config } from './config.ts';
import { deploy } from './deploy.ts';
import { down } from './down.ts';
import { goals } from './goals.ts';
import { hold, unhold } from './hold.ts';
import { init } from './init.ts';
import { log } from './log.ts';
import { maintenance } from './maintenance.ts';
import { mcp } from './mcp.ts';
import { promote } from './promote.ts';
import { prune } from './prune.ts';
import { releases } from './releases.ts';
import { rollback } from './rollback.ts';
import { run } from './run.ts';
import { setup } from './setup.ts';
import { ssh } from './ssh.ts';
import { stages } from './stages.ts';
import { status } from './status.ts';
import { templates } from './templates.ts';
import { unlock } from './unlock.ts';
import { verify } from './verify.ts';

export const COMMANDS: readonly CliCommand[] = [
  deploy,
  rollback,
  promote,
  releases,
  status,
  verify,
  log,
  hold,
  unhold,
  maintenance,
  unlock,
  adopt,
  setup,
  check,
  config,
  goals,
  prune,
  down,
  ssh,
  app,
  run,
  templates,
  completion,
  mcp,
  stages,
  init,
];
