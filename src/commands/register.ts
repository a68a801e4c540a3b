/** The table of commands. */
import * as vscode from 'vscode';
import { commands, nodeCommands } from '../editor/ids.ts';
import type { RunNode } from '../views/history.ts';
import type { Node } from '../views/nodes.ts';
import type { ReviewNode } from '../views/review.ts';
import type { FileNode } from '../views/serverFileItem.ts';
import type { App } from './commandContext.ts';
import { cancel } from './cancel.ts';
import { checkConnection } from './checkConnection.ts';
import { compareStages } from './compareStages.ts';
import { copyCli } from './copyCli.ts';
import { createConfig } from './createConfig.ts';
import { deploy } from './deploy.ts';
import { deployRef } from './deployRef.ts';
import { down } from './down.ts';
import { dryRun } from './dryRun.ts';
import { forgetSecrets } from './forgetSecrets.ts';
import { hold, unhold } from './hold.ts';
import { compareFile, compareFolder, compareWithServer } from './compareHere.ts';
import { compareInGutter, type LiveGutter } from './liveGutter.ts';
import { openRunChanges, refreshHistory, showBetween, showHistory, showRunLog } from './history.ts';
import { maintenance } from './maintenance.ts';
import { openConfig } from './openConfig.ts';
import { openSite } from './openSite.ts';
import { controlProcess } from './processControl.ts';
import { followLogs, stopFollowing } from './processLogs.ts';
import { promote } from './promote.ts';
import { prune, pruneServer } from './prune.ts';
import { refresh } from './refresh.ts';
import { compareWithLive, copyCommit, showRecord } from './releaseActions.ts';
import {
  buildReviewed,
  deployReviewed,
  openAllChanges,
  openReviewedFile,
  reviewAgain,
} from './reviewActions.ts';
import { rollback, rollbackRelease } from './rollback.ts';
import { copyAddress, deployToServer, openTerminal } from './server.ts';
import { browseServer, copyServerPath, listFolder, openEntry } from './serverFiles.ts';
import { setup } from './setup.ts';
import { unlock } from './unlock.ts';
import { verify, verifyServer } from './verify.ts';

type Handler = (argument: unknown) => unknown;

export function registerCommands(app: App, gutter: LiveGutter): vscode.Disposable {
  const table: Readonly<Record<string, Handler>> = {
    [commands.deploy]: (argument) => deploy(app, argument),
    [commands.deployRef]: (argument) => deployRef(app, argument),
    [commands.dryRun]: (argument) => dryRun(app, argument),
    [commands.rollback]: (argument) => rollback(app, argument),
    [commands.unlock]: (argument) => unlock(app, argument),
    [commands.prune]: (argument) => prune(app, argument),
    [commands.verify]: (argument) => verify(app, argument),
    [commands.hold]: (argument) => hold(app, argument),
    [commands.unhold]: (argument) => unhold(app, argument),
    [commands.promote]: (argument) => promote(app, argument),
    [commands.maintenanceOn]: (argument) => maintenance(app, argument, 'on'),
    [commands.maintenanceOff]: (argument) => maintenance(app, argument, 'off'),
    [commands.setup]: (argument) => setup(app, argument),
    [commands.down]: (argument) => down(app, argument),
    [commands.compareStages]: (argument) => compareStages(app, argument),
    [commands.history]: () => showHistory(app),
    [commands.lanes]: () => {
      app.lanes.show();
    },
    [commands.openSite]: (argument) => openSite(app, argument),
    [commands.refresh]: (argument) => refresh(app, argument),
    [commands.showOutput]: () => {
      app.log.show(true);
    },
    [commands.cancel]: (argument) => cancel(app, argument),
    [commands.compareWithStage]: (argument) => compareInGutter(app, gutter, argument),
    [commands.stopComparing]: () => gutter.follow(undefined),
    [commands.compareFile]: (argument) => compareFile(app, gutter, argument),
    [commands.compareFolder]: (argument) => compareFolder(app, gutter, argument),
    [commands.compareWithServer]: (argument) => compareWithServer(app, gutter, argument),
    [commands.openServerFile]: (argument) => browseServer(app, argument),
    [commands.checkConnection]: (argument) => checkConnection(app, argument),
    [commands.createConfig]: () => createConfig(app),
    [commands.copyCli]: (argument) => copyCli(app, argument),
    [commands.forgetSecrets]: () => forgetSecrets(app),

    [nodeCommands.deploy]: (node) => deploy(app, node),
    [nodeCommands.dryRun]: (node) => dryRun(app, node),
    [nodeCommands.rollback]: (node) => rollback(app, node),
    [nodeCommands.unlock]: (node) => unlock(app, node),
    [nodeCommands.compareWithStage]: (node) => compareInGutter(app, gutter, node),
    [nodeCommands.checkConnection]: (node) => checkConnection(app, node),
    [nodeCommands.openConfig]: (node) => openConfig(app, node),
    [nodeCommands.copyCli]: (node) => copyCli(app, node),
    [nodeCommands.cancel]: (node) => cancel(app, node),
    [nodeCommands.refresh]: (node) => refresh(app, node),
    [nodeCommands.retry]: (node) => refresh(app, node),
    [nodeCommands.openSite]: (node) => openSite(app, node),
    [nodeCommands.verify]: (node) => verify(app, node),
    [nodeCommands.hold]: (node) => hold(app, node),
    [nodeCommands.unhold]: (node) => unhold(app, node),
    [nodeCommands.compareStages]: (node) => compareStages(app, node),
    [nodeCommands.promote]: (node) => promote(app, node),
    [nodeCommands.maintenanceOn]: (node) => maintenance(app, node, 'on'),
    [nodeCommands.maintenanceOff]: (node) => maintenance(app, node, 'off'),
    [nodeCommands.setup]: (node) => setup(app, node),
    [nodeCommands.down]: (node) => down(app, node),
    [nodeCommands.verifyServer]: onServer((node) => verifyServer(app, node)),
    [nodeCommands.deployServer]: onServer((node) => deployToServer(app, node)),
    [nodeCommands.openTerminal]: onServer((node) => {
      openTerminal(app, node);
    }),
    [nodeCommands.copyAddress]: onServer(copyAddress),
    [nodeCommands.pruneServer]: onServer((node) => pruneServer(app, node)),
    [nodeCommands.listFolder]: onFile(({ file, stage, server, ...node }) =>
      listFolder(app, { file, stage, server, path: 'path' in node ? node.path : '' }),
    ),
    [nodeCommands.openServerFile]: onFile((node) =>
      node.kind === 'entry' ? openEntry(app, node, 'all') : undefined,
    ),
    [nodeCommands.openServerFileEnd]: onFile((node) =>
      node.kind === 'entry' ? openEntry(app, node, 'end') : undefined,
    ),
    [nodeCommands.copyServerPath]: onFile((node) => copyServerPath(app, node)),
    [nodeCommands.startProcess]: onProcess((node) => controlProcess(app, node, 'start')),
    [nodeCommands.stopProcess]: onProcess((node) => controlProcess(app, node, 'stop')),
    [nodeCommands.restartProcess]: onProcess((node) => controlProcess(app, node, 'restart')),
    [nodeCommands.followLogs]: onProcess((node) => {
      // It goes on until it is stopped: the command has done its part when it has begun.
      void followLogs(app, node);
    }),
    [nodeCommands.stopFollowing]: onProcess((node) => {
      stopFollowing(app, node);
    }),
    [nodeCommands.rollbackRelease]: onRelease((node) => rollbackRelease(app, node)),
    [nodeCommands.makeLiveAgain]: onRelease((node) => rollbackRelease(app, node)),
    [nodeCommands.compareWithLive]: onRelease((node) => compareWithLive(app, node)),
    [nodeCommands.copyCommit]: onRelease((node) => copyCommit(app, node)),
    [nodeCommands.showRecord]: onRelease((node) => showRecord(app, node)),
    [nodeCommands.historyRefresh]: () => refreshHistory(app),
    [nodeCommands.historyChanges]: onRun((node) => openRunChanges(app, node)),
    [nodeCommands.historyLog]: onRun((node) => showRunLog(app, node)),
    [nodeCommands.reviewDeploy]: () => deployReviewed(app),
    [nodeCommands.reviewAgain]: () => reviewAgain(app),
    [nodeCommands.reviewBuild]: () => buildReviewed(app),
    [nodeCommands.reviewOpenAll]: () => openAllChanges(app),
    [nodeCommands.reviewOpenFile]: (node) => (isReviewNode(node) ? openReviewedFile(app, node) : undefined),
    [nodeCommands.reviewClose]: () => {
      app.review.close();
    },
  };
  const between = (node: unknown, selected: unknown): unknown =>
    isRun(node) ? showBetween(app, node, Array.isArray(selected) ? selected.filter(isRun) : []) : undefined;
  return vscode.Disposable.from(
    vscode.commands.registerCommand(nodeCommands.historyBetween, between),
    ...Object.entries(table).map(([id, handler]) => vscode.commands.registerCommand(id, handler)),
  );
}

function onServer(work: (node: Extract<Node, { kind: 'server' }>) => unknown): Handler {
  return (node) => (isNode(node) && node.kind === 'server' ? work(node) : undefined);
}

function onProcess(work: (node: Extract<Node, { kind: 'process' }>) => unknown): Handler {
  return (node) => (isNode(node) && node.kind === 'process' ? work(node) : undefined);
}

function onFile(work: (node: FileNode) => unknown): Handler {
  return (node) =>
    isNode(node) && (node.kind === 'files' || node.kind === 'entry' || node.kind === 'listing')
      ? work(node)
      : undefined;
}

function onRelease(work: (node: Extract<Node, { kind: 'release' }>) => unknown): Handler {
  return (node) => (isNode(node) && node.kind === 'release' ? work(node) : undefined);
}

function onRun(work: (node: RunNode) => unknown): Handler {
  return (node) => (isRun(node) ? work(node) : undefined);
}

function isRun(node: unknown): node is RunNode {
  return isNode(node) && 'run' in node && 'name' in node;
}

/** Commands of nodes are not in the palette: their argument is what the tree made. */
function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'file' in value;
}

function isReviewNode(value: unknown): value is ReviewNode {
  return typeof value === 'object' && value !== null && 'kind' in value && !('file' in value);
}
