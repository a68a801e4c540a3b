/** Removing a folder in which others still work. */
import { existsSync, rmSync } from 'node:fs';

/** Node's `rmSync` ends half way, and does not say so, where somebody else removes a file of the folder meanwhile. */
export function removeTree(folder: string): void {
  while (existsSync(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
