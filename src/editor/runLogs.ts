/** The output of runs of this machine, kept for the history: a file each, which only its owner can read. No `vscode` here. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../engine/index.ts';
import { createLines } from './log.ts';

export interface RunLogs {
  /** Takes the events of one run; once it has ended, its output is kept. */
  readonly follow: (stage: string) => (event: RunEvent) => void;
  readonly has: (run: string | null) => boolean;
  /** Undefined where it is not kept, or not any more. */
  readonly read: (run: string) => Promise<string | undefined>;
}

/** More lines than this of one run are cut at its beginning, and more files than this are removed, the oldest first. */
const mostLines = 20_000;
const mostFiles = 100;

/** @param folder undefined where nothing can be kept. @param onKept told when another one is there. */
export function createRunLogs(folder: string | undefined, onKept: () => void): RunLogs {
  const fileOf = (run: string): string | undefined =>
    folder === undefined || !/^[\w-]+$/.test(run) ? undefined : join(folder, `${run}.log`);
  const keep = async (run: string, lines: readonly string[]): Promise<void> => {
    const file = fileOf(run);
    if (folder === undefined || file === undefined) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    // Their names begin with when they began.
    const files = (await readdir(folder)).sort();
    for (const old of files.slice(0, Math.max(0, files.length - mostFiles))) await rm(join(folder, old));
    onKept();
  };
  return {
    follow: (stage) => {
      const toLine = createLines(stage);
      let run: string | undefined;
      let lines: string[] = [];
      return (event) => {
        if (event.event === 'run-started' && !event.dry_run) ({ run } = event);
        if (run === undefined) return;
        const line = toLine(event);
        if (line !== undefined) lines.push(line.text);
        if (lines.length > 2 * mostLines) lines = lines.slice(-mostLines);
        if (event.event !== 'run-finished') return;
        // A full disk is no reason to say that the run has failed.
        void keep(run, lines.slice(-mostLines)).catch(() => undefined);
        run = undefined;
        lines = [];
      };
    },
    has: (run) => {
      const file = run === null ? undefined : fileOf(run);
      return file !== undefined && existsSync(file);
    },
    read: async (run) => {
      const file = fileOf(run);
      return file === undefined ? undefined : readFile(file, 'utf8').catch(() => undefined);
    },
  };
}
