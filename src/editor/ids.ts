/** Every name that the manifest and the code share. `test/editor/manifest.test.ts` compares them with package.json. */

export const languageId = 'durant-conf';
export const taskType = 'durant';
export { configName } from '../config/syntax/document.ts';

/** Commands of the palette. Each that works on a stage takes a `StageArgument` and asks for the stage without one. */
export const commands = {
  deploy: 'durant.deploy',
  deployRef: 'durant.deployRef',
  dryRun: 'durant.dryRun',
  rollback: 'durant.rollback',
  unlock: 'durant.unlock',
  prune: 'durant.prune',
  verify: 'durant.verify',
  hold: 'durant.hold',
  unhold: 'durant.unhold',
  promote: 'durant.promote',
  maintenanceOn: 'durant.maintenanceOn',
  maintenanceOff: 'durant.maintenanceOff',
  setup: 'durant.setup',
  down: 'durant.down',
  openSite: 'durant.openSite',
  compareStages: 'durant.compareStages',
  history: 'durant.history',
  lanes: 'durant.lanes',
  refresh: 'durant.refresh',
  showOutput: 'durant.showOutput',
  cancel: 'durant.cancel',
  checkConnection: 'durant.checkConnection',
  compareWithStage: 'durant.compareWithStage',
  stopComparing: 'durant.stopComparing',
  compareFile: 'durant.compareFile',
  compareFolder: 'durant.compareFolder',
  compareWithServer: 'durant.compareWithServer',
  openServerFile: 'durant.openServerFile',
  createConfig: 'durant.createConfig',
  copyCli: 'durant.copyCli',
  forgetSecrets: 'durant.forgetSecrets',
} as const;

/** Commands of the tree's menus, named as a menu names them; not in the palette. Each takes its tree node. */
export const nodeCommands = {
  deploy: 'durant.stage.deploy',
  dryRun: 'durant.stage.dryRun',
  rollback: 'durant.stage.rollback',
  unlock: 'durant.stage.unlock',
  checkConnection: 'durant.stage.checkConnection',
  compareWithStage: 'durant.stage.compareWithStage',
  openConfig: 'durant.stage.openConfig',
  copyCli: 'durant.stage.copyCli',
  cancel: 'durant.stage.cancel',
  refresh: 'durant.stage.refresh',
  openSite: 'durant.stage.openSite',
  verify: 'durant.stage.verify',
  hold: 'durant.stage.hold',
  unhold: 'durant.stage.unhold',
  promote: 'durant.stage.promote',
  compareStages: 'durant.stage.compareStages',
  maintenanceOn: 'durant.stage.maintenanceOn',
  maintenanceOff: 'durant.stage.maintenanceOff',
  setup: 'durant.stage.setup',
  down: 'durant.stage.down',
  verifyServer: 'durant.server.verify',
  deployServer: 'durant.server.deploy',
  openTerminal: 'durant.server.openTerminal',
  copyAddress: 'durant.server.copyAddress',
  pruneServer: 'durant.server.prune',
  listFolder: 'durant.server.listFolder',
  openServerFile: 'durant.server.openFile',
  openServerFileEnd: 'durant.server.openFileEnd',
  copyServerPath: 'durant.server.copyPath',
  startProcess: 'durant.process.start',
  stopProcess: 'durant.process.stop',
  restartProcess: 'durant.process.restart',
  followLogs: 'durant.process.followLogs',
  stopFollowing: 'durant.process.stopFollowing',
  rollbackRelease: 'durant.release.rollback',
  makeLiveAgain: 'durant.release.makeLive',
  compareWithLive: 'durant.release.compareWithLive',
  copyCommit: 'durant.release.copyCommit',
  showRecord: 'durant.release.showRecord',
  retry: 'durant.error.retry',
  historyRefresh: 'durant.history.refresh',
  historyBetween: 'durant.history.between',
  historyChanges: 'durant.history.changes',
  historyLog: 'durant.history.log',
  reviewDeploy: 'durant.review.deploy',
  reviewAgain: 'durant.review.again',
  reviewBuild: 'durant.review.build',
  reviewOpenAll: 'durant.review.openAll',
  reviewOpenFile: 'durant.review.openFile',
  reviewClose: 'durant.review.close',
} as const;

export const views = {
  container: 'durant',
  stages: 'durant.stages',
  review: 'durant.review',
  history: 'durant.history',
} as const;

/** Keys for `when`. */
export const contextKeys = {
  /** The configurations of the workspace have been looked for. */
  ready: 'durant.ready',
  hasConfig: 'durant.hasConfig',
  /** A durant.conf has more stages than one. */
  severalStages: 'durant.severalStages',
  /** A stage names its site. */
  hasSite: 'durant.hasSite',
  /** The history has been asked for. */
  hasHistory: 'durant.hasHistory',
  /** A stage is compared with in the gutter. */
  compared: 'durant.compared',
  /** A run is on in this window. */
  running: 'durant.running',
  /** There is a dry run to review. */
  reviewing: 'durant.reviewing',
  /** That dry run found something to change. */
  pending: 'durant.pending',
  /** It did not list what before_deploy makes. */
  buildable: 'durant.buildable',
} as const;

export const settings = {
  section: 'durant',
  confirm: 'confirm',
  refreshOnFocus: 'refreshOnFocus',
  keepConnections: 'keepConnections',
  terminalCommand: 'terminalCommand',
  gitPath: 'gitPath',
  sshPath: 'sshPath',
  rsyncPath: 'rsyncPath',
} as const;

/** URI schemes of read-only documents: a file of a commit, the record of a release, what a command found. */
export const schemes = {
  commit: 'durant-commit',
  record: 'durant-record',
  text: 'durant-text',
  /** A file as it lies on a server. */
  server: 'durant',
  /** Nothing to open: a name whose icon is shown. */
  icon: 'durant-icon',
} as const;

/** Names a stage to a command: which durant.conf, as a path, and which section of it. */
export interface StageArgument {
  readonly file: string;
  readonly stage: string;
}

export function isStageArgument(value: unknown): value is StageArgument {
  return (
    typeof value === 'object' &&
    value !== null &&
    'file' in value &&
    'stage' in value &&
    typeof value.file === 'string' &&
    typeof value.stage === 'string'
  );
}
