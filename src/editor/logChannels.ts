/** Logs of processes that are followed in this window: each in an output channel of its own, which is used again. */
import * as vscode from 'vscode';
import type { Emit } from '../engine/index.ts';
import { asDurantError } from '../errors.ts';
import { printable } from '../printable.ts';

export interface LogChannels extends vscode.Disposable {
  /**
   * Shows the channel of that name, and follows into it what is not followed yet. Resolves when that has ended, however it did: the
   * channel's last line says how.
   */
  readonly follow: (
    name: string,
    /** Calls the engine; its `output` events are the lines. */
    call: (options: { readonly emit: Emit; readonly signal: AbortSignal }) => Promise<unknown>,
  ) => Promise<void>;
  /** Ends the following; the channel stays. */
  readonly stop: (name: string) => void;
}

export function createLogChannels(): LogChannels {
  const channels = new Map<string, vscode.OutputChannel>();
  const followed = new Map<string, AbortController>();

  const open = (name: string): vscode.OutputChannel => {
    const known = channels.get(name);
    if (known !== undefined) return known;
    const channel = vscode.window.createOutputChannel(name);
    channels.set(name, channel);
    return channel;
  };

  return {
    follow: async (name, call) => {
      const channel = open(name);
      channel.show(true);
      if (followed.has(name)) return;
      const controller = new AbortController();
      followed.set(name, controller);
      // The engine begins with the last lines again.
      channel.clear();
      let end: string;
      try {
        await call({
          signal: controller.signal,
          emit: (event) => {
            if (event.event === 'output') channel.appendLine(printable(event.line));
            else if (event.event === 'warning') channel.appendLine(`— ${printable(event.message)}`);
          },
        });
        end = vscode.l10n.t('The log has ended.');
      } catch (thrown) {
        const { code, message } = asDurantError(thrown);
        end = code === 'cancelled' ? vscode.l10n.t('No longer followed.') : message;
      } finally {
        followed.delete(name);
      }
      // Once it is disposed of, nobody reads it.
      if (channels.has(name)) channel.appendLine(`— ${end}`);
    },
    stop: (name) => {
      followed.get(name)?.abort();
    },
    dispose: () => {
      for (const controller of followed.values()) controller.abort();
      const all = [...channels.values()];
      channels.clear();
      for (const channel of all) channel.dispose();
    },
  };
}
