/** Activates the extension in a new extension host, and writes what that took to the file that ACTIVATION_RESULT names. */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';

describe('activation', () => {
  it('is measured', async () => {
    const extension = vscode.extensions.getExtension('durant.durant');
    if (extension === undefined || extension.isActive)
      throw new Error('Durant is missing, or active already.');
    const before = performance.now();
    const used = process.cpuUsage();
    await extension.activate();
    const { user, system } = process.cpuUsage(used);
    const figures = { ms: performance.now() - before, cpuMs: (user + system) / 1000 };
    writeFileSync(process.env['ACTIVATION_RESULT'] ?? '', JSON.stringify(figures));
  });
});
