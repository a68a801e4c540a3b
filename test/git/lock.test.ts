/** The local lock: one holder at a time, aloud, and none that is dead. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processPlace, type ProcessPlace } from '../../src/git/processIdentity.ts';
import { acquireLock } from '../../src/git/processLock.ts';
import { waitFor } from '../support/wait.ts';
import { openGitArea, type GitArea } from './cloneSupport.ts';

const HOLDER = fileURLToPath(new URL('./lockHolder.ts', import.meta.url));

describe('git: local lock', () => {
  let area: GitArea;
  let file: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    area = openGitArea();
    file = join(area.root, 'lock');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await area.remove();
  });

  const signal = new AbortController().signal;
  const waits: number[] = [];
  const take = async (of = signal) =>
    await acquireLock({ file, signal: of, onWait: (holder) => waits.push(holder.pid) });

  /** A process that runs `lockHolder.ts` and has printed a line. */
  const start = async (...args: readonly string[]): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [HOLDER, file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  };

  it('is waited for aloud, once, and then taken', async () => {
    waits.length = 0;
    const first = await take();
    let second = false;
    const waiting = take().then((lock) => {
      second = true;
      return lock;
    });
    await waitFor('the wait to be said', () => waits.length > 0);
    assert.equal(second, false);
    await first.release();
    const lock = await waiting;
    assert.deepEqual(waits, [process.pid]);
    await first.release();
    assert.ok(existsSync(file), 'a second release took the lock of somebody else');
    await lock.release();
    assert.deepEqual(readdirSync(area.root), ['project']);
  });

  it('stops waiting when it is cancelled', async () => {
    const first = await take();
    const controller = new AbortController();
    const waiting = take(controller.signal);
    controller.abort();
    await assert.rejects(waiting, { code: 'cancelled' });
    await first.release();
  });

  it('is taken over from a process that was killed, by exactly one of many', async () => {
    const holder = await start();
    const exited = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exited;
    const counter = join(area.root, 'counter');
    writeFileSync(counter, '0');
    const racers = await Promise.all(
      Array.from({ length: 4 }, async () => await start('count', counter, '25')),
    );
    await Promise.all(
      racers.map(async (racer) => {
        const end = once(racer, 'exit');
        racer.stdin?.end();
        assert.deepEqual(await end, [0, null]);
      }),
    );
    assert.equal(readFileSync(counter, 'utf8'), '100');
    assert.equal(existsSync(file), false);
  });

  it('is taken while its holder removes what is not its own from the folder', async () => {
    const cleaner = await start('clean', '100');
    while (cleaner.exitCode === null) await (await take()).release();
    assert.equal(cleaner.exitCode, 0);
    assert.deepEqual(readdirSync(area.root), ['project']);
  });

  it('tells who was before, and is not fooled by a process id that is used again', async () => {
    writeFileSync(
      file,
      JSON.stringify({ id: 'x', pid: process.pid, start: 'another time', host: hostname(), since: '' }),
    );
    const lock = await take();
    assert.equal(lock.takenOver, true);
    await lock.release();
  });

  it('never takes over from another machine', async () => {
    writeFileSync(file, JSON.stringify({ id: 'x', pid: 1, start: '', host: 'elsewhere.example', since: '' }));
    const controller = new AbortController();
    const waiting = acquireLock({ file, signal: controller.signal, onWait: () => controller.abort() });
    await assert.rejects(waiting, { code: 'cancelled' });
    assert.ok(existsSync(file));
  });

  const held = (place: ProcessPlace): string =>
    JSON.stringify({ id: 'x', pid: process.pid, start: 'gone', host: place.host, place, since: '' });

  it('never takes over from another container, whatever its name', async () => {
    writeFileSync(file, held({ ...processPlace(), namespace: 'pid:[1]' }));
    const controller = new AbortController();
    const waiting = acquireLock({ file, signal: controller.signal, onWait: () => controller.abort() });
    await assert.rejects(waiting, { code: 'cancelled' });
    assert.ok(existsSync(file));
  });

  it('is taken over from this machine as it was before a restart, where that process id is used again', async function () {
    const here = processPlace();
    if (here.machine === '' || here.namespace !== 'pid:[4026531836]') this.skip();
    const start = readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(' ')[21];
    writeFileSync(file, held({ ...here, boot: 'another' }).replace('gone', start ?? ''));
    const lock = await take();
    assert.equal(lock.takenOver, true);
    await lock.release();
  });

  it('takes over one that a crash left half written, and from a take-over that died', async () => {
    writeFileSync(file, '{"id":');
    writeFileSync(
      `${file}.taken-unreadable`,
      JSON.stringify({ id: 'y', pid: 1, start: 'gone', host: hostname(), since: '' }),
    );
    const old = new Date(Date.now() - 60_000);
    utimesSync(file, old, old);
    const lock = await take();
    assert.equal(lock.takenOver, true);
    await lock.release();
    assert.deepEqual(readdirSync(area.root), ['project']);
  });

  it('makes a second run of a stage wait, and not another stage', async () => {
    area.remote('shop', [{ message: 'one', files: { a: 'a' } }]);
    const first = await area.open({ repository: '../shop' });
    const other = await area.open({ repository: '../shop', stage: 'staging' });
    await other.release();
    assert.deepEqual(area.waits, []);
    const second = area.open({ repository: '../shop' });
    await waitFor('the wait to be said', () => area.waits.length > 0);
    assert.match(area.waits[0] ?? '', /in use by another run \(process \d+ on .*waiting/);
    await first.release();
    await (await second).release();
    assert.equal(area.waits.length, 1);
  });
});
