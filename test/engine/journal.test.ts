/** Whose runs are known to be over, where several machines share one journal. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/engine/server/journal.ts';
import { processPlace, type ProcessPlace } from '../../src/git/processIdentity.ts';

const machine: ProcessPlace = {
  host: 'laptop',
  machine: '0123',
  boot: 'monday',
  namespace: 'pid:[4026531836]',
};

describe('the journal', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-journal-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes the entry of a run whose process is gone. */
  async function died(place: ProcessPlace): Promise<void> {
    await openJournal(folder, place).begin({
      run: 'run-1',
      stage: 'production',
      config: '/durant.conf',
      action: 'deploy',
      servers: ['web1'],
      started: '2026-01-01T00:00:00Z',
    });
    const file = join(folder, 'runs', readdirSync(join(folder, 'runs'))[0] ?? '');
    const entry: unknown = JSON.parse(readFileSync(file, 'utf8'));
    assert.ok(typeof entry === 'object');
    writeFileSync(file, JSON.stringify({ ...entry, processStarted: 'long ago' }));
  }

  it('a run of this process is not over; one whose process is gone is', async () => {
    const journal = openJournal(folder);
    await journal.begin({ run: 'run-2', stage: 's', config: '', action: 'deploy', servers: [], started: '' });
    assert.equal(await journal.isDead('run-2'), false);
    await died(processPlace());
    assert.equal(await journal.isDead('run-1'), true);
    assert.deepEqual(
      (await journal.interrupted()).map(({ run }) => run),
      ['run-1'],
    );
  });

  const cases: readonly (readonly [string, ProcessPlace, ProcessPlace, boolean])[] = [
    ['of this machine', machine, machine, true],
    ['of this machine before it was started anew', machine, { ...machine, boot: 'tuesday' }, true],
    ['of another machine', machine, { ...machine, host: 'server' }, false],
    ['of another machine of that name', machine, { ...machine, machine: '4567' }, false],
    ['of a container here', machine, { ...machine, namespace: 'pid:[4026532000]' }, false],
    [
      'of a container of the same name on another machine',
      { ...machine, namespace: 'pid:[4026532000]' },
      { ...machine, namespace: 'pid:[4026532000]', boot: 'tuesday' },
      false,
    ],
    [
      'of a machine without an id, which another may be called as well',
      { ...machine, machine: '' },
      { ...machine, machine: '', boot: 'tuesday' },
      false,
    ],
  ];
  for (const [name, here, there, dead] of cases)
    it(`a run ${name} is ${dead ? 'over' : 'not judged'}`, async () => {
      await died(there);
      assert.equal(await openJournal(folder, here).isDead('run-1'), dead);
    });

  it('a run of another machine that says itself that it has ended is over', async () => {
    await died({ ...machine, host: 'server' });
    await openJournal(folder, machine).end('run-1');
    assert.equal(await openJournal(folder, machine).isDead('run-1'), true);
  });

  it('an entry of an earlier version, which does not say where it ran, is not judged', async () => {
    await died(machine);
    const file = join(folder, 'runs', 'run-1.json');
    const entry: unknown = JSON.parse(readFileSync(file, 'utf8'));
    assert.ok(typeof entry === 'object');
    writeFileSync(file, JSON.stringify({ ...entry, place: undefined }));
    assert.equal(await openJournal(folder, machine).isDead('run-1'), false);
  });
});
