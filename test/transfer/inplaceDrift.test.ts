/** What has changed in a folder since the last deploy into it, told apart from what that deploy's own commands did, with every kind of tools. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { placeInplace, stageInplace } from '../../src/transfer/inplace/placeFiles.ts';
import { compareInplace } from '../../src/transfer/inplace/compareFolder.ts';
import { planInplace, type InplacePlan } from '../../src/transfer/inplace/inplacePlan.ts';
import { touchedInplaceScript } from '../../src/transfer/inplace/modifiedInplace.ts';
import { openLab, type Lab, type Tools } from './lab.ts';

const kinds: readonly Tools[] = ['system', 'busybox', 'bsdtar', 'no-stat'];
for (const tools of kinds)
  describe(`drift in a folder, with ${tools} tools`, () => {
    let lab: Lab;
    let run = 0;
    const signal = new AbortController().signal;
    const at = (path: string): string => join(lab.project, path);
    const site = {
      'same-size.txt': 'one\n',
      'longer.txt': 'one\n',
      'mode.sh': 'one\n',
      'gone.txt': 'one\n',
      'back\\slash and\nnewline': 'one\n',
      link: { link: 'longer.txt' },
      'folder/untouched.txt': 'one\n',
    };
    beforeEach(async () => {
      lab = await openLab({ tools });
    });
    afterEach(() => lab.remove());

    async function plan(): Promise<InplacePlan> {
      const tree = await lab.scan();
      const comparison = await compareInplace({
        connection: lab.connection,
        projectDir: lab.project,
        manifest: tree.manifest,
        hashTool: 'sha256sum',
        signal,
      });
      return planInplace({ tree, comparison, deletes: 'own files', newerFiles: 'overwrite' });
    }
    async function deploy(release: string): Promise<void> {
      run += 1;
      const tree = await lab.scan();
      const request = {
        connection: lab.connection,
        projectDir: lab.project,
        run: `r${String(run)}`,
        tree,
        plan: await plan(),
        facts: await lab.probe(),
        before: '',
        signal,
      };
      await stageInplace(request);
      const placing = await placeInplace({
        ...request,
        release,
        before: `printf '%s\\n' ${release} > .durant/live`,
      });
      assert.equal(placing.kind, 'placed');
    }
    const touch = async (release: string): Promise<string[]> => {
      const { status, stderr } = await lab.sh(
        touchedInplaceScript({ projectDir: lab.project, run: 't', release, hashTool: 'sha256sum' }),
      );
      assert.equal(status, 0, stderr.toString());
      assert.equal(existsSync(at('.durant/touched.t')), false);
      return readFileSync(at(`.durant/manifests/${release}.touched`), 'latin1')
        .split('\n')
        .slice(0, -1);
    };
    const change = (): void => {
      writeFileSync(at('same-size.txt'), 'ONE\n');
      appendFileSync(at('longer.txt'), 'more\n');
      appendFileSync(at('back\\slash and\nnewline'), 'more\n');
      chmodSync(at('mode.sh'), 0o755);
      rmSync(at('gone.txt'));
      rmSync(at('link'));
      symlinkSync('mode.sh', at('link'));
      writeFileSync(at('theirs.txt'), 'theirs\n');
    };
    const changed = [
      'back\\slash and\nnewline',
      'gone.txt',
      'link',
      'longer.txt',
      'mode.sh',
      'same-size.txt',
    ];

    it('is nothing where nothing was deployed, and nothing after a deploy', async () => {
      lab.write(site);
      writeFileSync(at('same-size.txt'), 'ONE\n');
      assert.deepEqual((await plan()).drifted, []);
      await deploy('a');
      lab.write({ ...site, 'longer.txt': 'the next\n' });
      const next = await plan();
      assert.equal(next.changed, 1);
      assert.deepEqual(next.drifted, []);
    });

    it('is what others changed, whether the commit has changed it too or not', async () => {
      lab.write(site);
      await deploy('a');
      change();
      lab.write({ ...site, 'longer.txt': 'the next\n' });
      assert.deepEqual((await plan()).drifted.map(({ path }) => path).toSorted(), changed);
      lab.write({ 'folder/untouched.txt': 'one\n' });
      const deleting = await plan();
      assert.deepEqual(
        deleting.drifted.map(({ path, kind }) => `${kind} ${path}`).toSorted(),
        changed.filter((path) => path !== 'gone.txt').map((path) => `deleted ${path}`),
      );
    });

    it('is not what the deploy’s own commands changed, until the next deploy', async () => {
      lab.write(site);
      await deploy('a');
      change();
      assert.deepEqual(
        (await touch('a')).toSorted(),
        ['back\\\\slash and\\nnewline', ...changed.slice(1)].toSorted(),
      );
      lab.write({ ...site, 'longer.txt': 'the next\n' });
      assert.deepEqual((await plan()).drifted, []);
      await deploy('a');
      assert.equal(existsSync(at('.durant/manifests/a.touched')), false);
      assert.deepEqual(await touch('a'), []);
    });
  });
