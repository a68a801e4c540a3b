/** The logs of an application's processes. */
import { quote } from '../../remote/shell.ts';
import { outputLines } from '../run/outputLines.ts';
import { inParallel } from '../run/parallel.ts';
import { loggingUnits } from './journal.ts';
import { useManager } from './manager.ts';
import { assertDone, onServer, sudoOf, unitsOf, type AppParts } from './openApp.ts';
import { defineAs } from './privilege.ts';

/**
 * The log lines of the processes, oldest first and without secrets, until they end or (with `follow`) the signal is aborted. What fails on
 * one server ends them all.
 * @throws {DurantError} `cancelled` at the end of following; `usage`; the connection codes.
 */
export async function appLogs(
  parts: AppParts,
  options: { readonly process: string | undefined; readonly follow: boolean; readonly lines: number },
  onLine: (server: string, line: string) => void,
): Promise<void> {
  const servers = parts.request.servers.map((address) => ({ address }));
  await inParallel(servers, servers.length, parts.signal, ({ address }, signal) =>
    onServer(
      { ...parts, signal },
      address,
      async (opened) => {
        const units = loggingUnits(unitsOf(opened, options.process));
        if (units.length === 0) return;
        const sudo = await sudoOf({ ...parts, signal }, opened);
        const { mask } = opened;
        const lines = outputLines(mask, (_, line) => onLine(address.entry, mask(line)));
        const user = opened.set.manager === 'user' ? '--user ' : '';
        const named = units.map((unit) => `-u ${quote(unit)}`).join(' ');
        const result = await opened.connection.exec({
          script: `${defineAs(sudo)}\n${useManager(opened.set.manager)}\nchange journalctl ${user}--no-pager --quiet -o short-iso -n ${options.lines} ${options.follow ? '-f ' : ''}${named}`,
          signal,
          onOutput: lines.write,
        });
        lines.end();
        assertDone(address, 'logs', result);
      },
      'live or failed',
    ),
  );
}
