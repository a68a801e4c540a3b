/** The last word on trust: whatever calls the engine, in a workspace that is not trusted nothing runs and nothing connects. */
import * as vscode from 'vscode';
import { DurantError } from '../errors.ts';
import type { EngineClient } from '../engineProcess/client.ts';

export function trustedOnly(engine: EngineClient): EngineClient {
  return {
    ...engine,
    call: (method, takes, options) =>
      vscode.workspace.isTrusted
        ? engine.call(method, takes, options)
        : Promise.reject(
            new DurantError(
              'usage',
              vscode.l10n.t('This folder is not trusted: Durant runs nothing and connects to no server.'),
              { remedy: vscode.l10n.t('Trust it with Workspaces: Manage Workspace Trust.') },
            ),
          ),
  };
}
