/** The settings, typed. */
import * as vscode from 'vscode';
import type { Setup } from '../engineProcess/protocol.ts';
import { settings } from './ids.ts';

function read<T>(key: string, fallback: T, scope?: vscode.Uri): T {
  return vscode.workspace.getConfiguration(settings.section, scope ?? null).get<T>(key, fallback);
}

/** Whether every run is asked about, not only those of protected stages. */
export function alwaysConfirms(file: string): boolean {
  return read<string>(settings.confirm, 'protected', vscode.Uri.file(file)) === 'always';
}

export function refreshesOnFocus(): boolean {
  return read(settings.refreshOnFocus, false);
}

/** Whether terminals have the command `durant`. */
export function hasTerminalCommand(): boolean {
  return read(settings.terminalCommand, true);
}

export function engineSetup(): Setup {
  const path = (key: string): string | undefined => {
    const value = read(key, '').trim();
    return value === '' ? undefined : value;
  };
  return {
    cacheDir: undefined,
    stateDir: undefined,
    gitPath: path(settings.gitPath),
    sshPath: path(settings.sshPath),
    rsyncPath: path(settings.rsyncPath),
    keepConnectionsMs: Math.max(0, read(settings.keepConnections, 5)) * 60_000,
  };
}
