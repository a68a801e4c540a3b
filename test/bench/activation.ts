// node test/bench/activation.ts: what the extension adds to the start of VS Code, from loading its bundle to the end of `activate`,
// each time in a new extension host. It is to stay under 50 ms; where other work slows the machine down, the processor time tells more.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEditorHost } from '../editor/rig/editorHost.ts';

interface Figures {
  readonly ms: number;
  readonly cpuMs: number;
}

const LIMIT = 50;
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
const scratch = mkdtempSync(join(tmpdir(), 'durant-activation-'));
const result = join(scratch, 'ms');
process.env['ACTIVATION_RESULT'] = result;
try {
  console.log(`dist/extension.cjs: ${String(statSync('dist/extension.cjs').size)} bytes`);
  for (const age of ['oldest', 'newest'] as const) {
    const rounds: Figures[] = [];
    const host = await startEditorHost(age);
    try {
      while (rounds.length < ROUNDS) {
        const { results, incomplete } = await host.run({
          suites: [join(import.meta.dirname, 'activation.suite.ts')],
        });
        const error = incomplete ?? results.find((each) => each.error !== undefined)?.error;
        if (error !== undefined) throw new Error(error);
        rounds.push(JSON.parse(readFileSync(result, 'utf8')) as Figures);
      }
    } finally {
      await host.end();
    }
    const ms = median(rounds.map((figures) => figures.ms));
    const cpuMs = median(rounds.map((figures) => figures.cpuMs));
    console.log(
      `activation in VS Code (${age}): ${ms.toFixed(1)} ms, of it ${cpuMs.toFixed(1)} ms of processor time (medians of ${String(ROUNDS)})${ms < LIMIT ? '' : `; over ${String(LIMIT)} ms`}`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
