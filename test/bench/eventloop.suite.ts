/** Deploys 13,000 files to a server, with many lines of output, and measures the extension host's event loop meanwhile. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import * as vscode from 'vscode';
import { makeWorld } from '../editor/rig/world.ts';
import { stages } from '../editor/rig/hands.ts';
import { largeRepository } from '../support/repo.ts';

describe('the event loop', function () {
  this.timeout(300_000);

  it('is measured', async () => {
    const lines: string[] = [];
    const measure = async (what: string, work: () => PromiseLike<unknown>): Promise<void> => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      const began = Date.now();
      delay.enable();
      await work();
      delay.disable();
      const ms = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(1);
      lines.push(
        `${what} (${((Date.now() - began) / 1000).toFixed(1)} s): p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, max ${ms(delay.max)} ms`,
      );
    };
    const world = await makeWorld('large', { servers: 2 });
    const large = largeRepository(13_000);
    try {
      await world.configure('');
      await stages.open(await stages.row(/^production/));
      const entries = world.servers.map(({ entry }) => `    ${entry}`).join('\n');
      await world.write(
        `[production]\nrepository: ${large.directory}\nproject_dir: ~/large\nspare: no\nserver:\n${entries}\nbefore_deploy: seq 1 20000\n`,
      );
      await measure('idle', () => pause(3000));
      await measure('dry run of 13,000 files', () =>
        vscode.commands.executeCommand('durant.dryRun', world.stage),
      );
      await measure('first deploy of 13,000 files to 2 servers, with 20,000 lines of output', () =>
        vscode.commands.executeCommand('durant.deploy', world.stage),
      );
      large.commit({ message: 'Second', files: { 'dir0/file0.txt': 'changed\n' } });
      await measure('deploy of one changed file', () =>
        vscode.commands.executeCommand('durant.deploy', world.stage),
      );
    } finally {
      large.remove();
      await world.end();
    }
    writeFileSync(process.env['EVENTLOOP_RESULT'] ?? '', lines.join('\n'));
  });
});
