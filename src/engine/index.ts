/** The public face of the engine: what the CLI and the editor call. It has no editor and no terminal in it. */
export { deploy, type DeployRequest } from './operations/deploy.ts';
export { rollback, type RollbackRequest } from './operations/rollback.ts';
export { adopt, type AdoptRequest } from './operations/adopt.ts';
export { prune, type Pruned, type PruneRequest } from './operations/prune.ts';
export { verify, type Verified, type VerifyRequest } from './operations/verify.ts';
export type { Drift } from './server/drift.ts';
export { parsePlan, type DeployPlan, type SavePlan } from './run/plan.ts';
export { hold, unhold, type HoldRequest, type HoldResult, type UnholdResult } from './operations/hold.ts';
export { maintenance, type MaintenanceRequest } from './operations/maintenance.ts';
export { promote, type PromoteRequest } from './operations/promote.ts';
export { runCommand, type RunCommandRequest } from './operations/runCommand.ts';
export { down, type DownRequest, type TakenDown } from './operations/down.ts';
export { runSetup, stageSetup, type SetupRun } from './operations/setup.ts';
export { stageLog, type StageLog } from './operations/log.ts';
export { listServerFolder, readServerFile, type FilePlace } from './operations/serverFiles.ts';
export type { ServerEntry, ServerFolder } from './server/serverFiles.ts';
export type { HistoryEntry } from './server/history.ts';
export { stageGoals, type StageGoals } from './operations/goals.ts';
export { NEWLY_ACHIEVED, PASSED } from './pipeline/goalReasons.ts';
export type { GoalStatus } from './pipeline/runPipeline.ts';
export type { GoalContext } from './pipeline/types/goalContext.ts';
export { behindCounter, type BehindCounter } from './operations/behind.ts';
export { assessStage, type Assessment } from './operations/check.ts';
export {
  listReleases,
  stageStatus,
  unlock,
  type CountBehind,
  type StageReleases,
  type StageStatus,
  type UnlockResult,
} from './operations/status.ts';
export {
  appExec,
  appInfo,
  appSecrets,
  controlApp,
  type AppControl,
  type AppInfo,
  type ControlAction,
} from './app/control.ts';
export { appLogs } from './app/logs.ts';
export type { AppParts } from './app/openApp.ts';
export { appShellScript } from './app/shellScript.ts';
export type { ProcessState } from './app/processStates.ts';
export { siteAddress } from './app/site.ts';
export { BUILT_IN_TEMPLATES } from './app/builtInTemplates.ts';
export { openStage, type StageOpening } from './run/openStage.ts';
export { openJournal, type Journal, type JournalEntry } from './server/journal.ts';
export type { StageRequest } from './run/run.ts';
export { firstServer, selectServers } from './run/serverChoice.ts';
export type {
  Emit,
  RunError,
  RunEvent,
  RunFinished,
  ServerOutcome,
  ServerState,
  StepState,
} from './events.ts';
export type { Goal } from './pipeline/types/goal.ts';
export type { Host } from './ports.ts';
export type { HoldRecord, LockRecord, ReleaseRecord, ReleaseState } from './server/record.ts';
