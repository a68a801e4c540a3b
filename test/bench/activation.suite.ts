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
    const used = cpuUsage();
    await extension.activate();
    const figures = { ms: performance.now() - before, cpuMs: cpuUsage() - used };
    writeFileSync(process.env['ACTIVATION_RESULT'] ?? '', JSON.stringify(figures));
  });
});

/** Processor time of this thread, ms; of the whole process where Node cannot tell (before 23.9). */
function cpuUsage(): number {
  const ofThread: unknown = Reflect.get(process, 'threadCpuUsage');
  const { user, system } =
    typeof ofThread === 'function' ? (ofThread.call(process) as NodeJS.CpuUsage) : process.cpuUsage();
  return (user + system) / 1000;
}
