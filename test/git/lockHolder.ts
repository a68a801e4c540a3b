/** Run by lock.test.ts as a process of its own: holds a lock until it is killed, counts in a file under it, or cleans the folder around it. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { setImmediate as yieldNow } from 'node:timers/promises';
import { acquireLock } from '../../src/git/processLock.ts';

const [file = '', mode, counter = '', times = '0'] = process.argv.slice(2);
const { signal } = new AbortController();
const onWait = () => undefined;

if (mode === 'count') {
  console.log('ready');
  process.stdin.resume();
  await once(process.stdin, 'end');
  for (let index = 0; index < Number(times); index += 1) {
    const lock = await acquireLock({ file, signal, onWait });
    const before = Number(readFileSync(counter, 'utf8'));
    await yieldNow();
    writeFileSync(counter, String(before + 1));
    await lock.release();
  }
} else if (mode === 'clean') {
  // As a checkout does with what is not its own in the git folder: here all the time, until enough was there to be removed.
  console.log('ready');
  for (let left = Number(counter); left > 0;)
    for (const name of readdirSync(dirname(file)).filter((each) => each.startsWith(`${basename(file)}.`))) {
      rmSync(join(dirname(file), name), { force: true });
      left -= 1;
    }
} else {
  await acquireLock({ file, signal, onWait });
  console.log('held');
  setInterval(() => undefined, 1000);
}
