/** The public face of the engine: what the CLI and the editor call. It has no editor and no terminal in it. */
export { deploy, type DeployRequest } from './deploy.ts';
export { rollback, type RollbackRequest } from './rollback.ts';
export { adopt, type AdoptRequest } from './adopt.ts';
export { prune, type Pruned, type PruneRequest } from './prune.ts';
export { stageGoals, type StageGoals } from './stageGoals.ts';
export { NEWLY_ACHIEVED, PASSED } from './goalReasons.ts';
export type { GoalStatus } from './pipeline.ts';
export type { GoalContext } from './goalTypes/context.ts';
export { behindCounter, type BehindCounter } from './behind.ts';
export { assessStage, type Assessment } from './check.ts';
export {
  listReleases,
  stageStatus,
  unlock,
  type CountBehind,
  type StageReleases,
  type StageStatus,
  type UnlockResult,
} from './inspect.ts';
export {
  appExec,
  appInfo,
  appLogs,
  appShellScript,
  controlApp,
  type AppControl,
  type AppInfo,
  type AppParts,
} from './app.ts';
export type { ProcessState } from './services/processStates.ts';
export { siteAddress } from './services/render.ts';
export { BUILT_IN_TEMPLATES } from './services/templates.ts';
export { openStage, type StageOpening } from './openStage.ts';
export { openJournal, type Journal, type JournalEntry } from './journal.ts';
export { selectServers, type StageRequest } from './run.ts';
export type { Emit, RunEvent, RunFinished, ServerOutcome, ServerState, StepState } from './events.ts';
export type { Goal } from './goals/goal.ts';
export type { Host } from './ports.ts';
export type { LockRecord, ReleaseRecord, ReleaseState } from './record.ts';
