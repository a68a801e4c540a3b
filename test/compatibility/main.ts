// npm run compatibility [-- WORD…]: plays the whole life in each cell of the matrix, and writes docs/compatibility.md. With words it
// plays only the cells that have all of them, e.g. `-- dropbear zsh`, and writes nothing.
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { documentPath, renderDocument, type Result } from './document.ts';
import { nameOf, pairwise, type Cell } from './kinds.ts';
import { live } from './life.ts';
import { readVersions } from './versions.ts';

const words = process.argv.slice(2);

if (process.send === undefined) process.exitCode = await playAll();
else for (const cell of pairwise().filter((each) => words.includes(nameOf(each)))) await playHere(cell);

/** Shared out among processes, as a process can be only one user of the CLI at a time. */
async function playAll(): Promise<number> {
  const cells = pairwise().filter((cell) =>
    words.every((word) => Object.values<string>(cell).includes(word)),
  );
  const jobs = Math.min(availableParallelism(), cells.length);
  const results = new Map<string, Result>();
  await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const share = cells.filter((_cell, index) => index % jobs === job).map(nameOf);
      const child = fork(fileURLToPath(import.meta.url), share);
      child.on('message', (result: Result) => {
        results.set(nameOf(result.cell), result);
        const { ending } = result;
        console.log(
          `${nameOf(result.cell)}: ${ending === undefined ? 'works' : `${ending.step} failed: ${ending.reason}`}`,
        );
      });
      await new Promise((resolve) => child.once('exit', resolve));
    }),
  );
  const failed = [...results.values()].filter(({ ending }) => ending !== undefined).length;
  console.log(`${results.size} of ${cells.length} cells played, ${failed} failed`);
  const played = cells.flatMap((cell) => results.get(nameOf(cell)) ?? []);
  if (words.length === 0) await writeFile(documentPath, await renderDocument(played, readVersions()));
  return failed === 0 && results.size === cells.length ? 0 : 1;
}

async function playHere(cell: Cell): Promise<void> {
  const result: Result = { cell, ending: await live(cell) };
  await new Promise((resolve) => process.send?.(result, resolve));
}
