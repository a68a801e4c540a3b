/** A pipeline in the editor: its goals in the review of a dry run, below their stage while a run is on, and afterwards. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from '../support/wait.ts';
import { hands, review, stages, type Row } from './rig/hands.ts';
import { makeWorld, type World } from './rig/world.ts';

describe('the goals of a pipeline in the editor', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'durant-goals-'));
  const go = join(scratch, 'go');
  const mark = join(scratch, 'mark');
  let world: World;

  before(async () => {
    world = await makeWorld('goals', { servers: 1 });
    await world.configure(
      [
        'pipeline: tested, deploy, marked, announced?',
        '[goal tested]',
        'type: shell',
        `command: until test -e ${go}; do sleep 0.05; done`,
        '[goal marked]',
        'type: command',
        `achieved: test -e ${mark}`,
        `achieve: touch ${mark}`,
        'reason: echo there is no mark',
        '[goal announced]',
        'type: command',
        'achieved: exit 1',
        'achieve: exit 3',
      ].join('\n'),
    );
  });

  afterEach(() => {
    hands.forget();
  });

  after(async () => {
    await world.end();
    rmSync(scratch, { recursive: true, force: true });
  });

  const goals = async (): Promise<readonly Row[]> =>
    (await stages.rows(await stages.row(/^production/))).filter(({ context }) => context.startsWith('goal '));
  const states = async (): Promise<readonly string[]> =>
    (await goals()).map(({ label, context }) => `${label} ${context.slice('goal '.length)}`);

  it('are in the review of a dry run, before the steps', async () => {
    await vscode.commands.executeCommand('durant.dryRun', world.stage);
    const labels = (await review.rows()).map(({ label }) => label);
    assert.ok(
      labels.indexOf('Goals') !== -1 && labels.indexOf('Goals') < labels.indexOf('Steps'),
      labels.join(),
    );
    const rows = await review.rows(await review.row(/^Goals/));
    assert.deepEqual(
      rows.map(({ label }) => label),
      ['tested', 'deploy', 'marked', 'announced'],
    );
    for (const { description } of rows) assert.match(description, /^pending: /);
    assert.match(rows[2]?.description ?? '', /there is no mark/);
    const steps = (await review.rows(await review.row(/^Steps/))).map(({ label }) => label);
    assert.ok(!steps.includes('tested') && steps.includes('symlink'), steps.join());
    assert.equal(existsSync(mark), false);
  });

  it('change below their stage while the run is on, and say afterwards what came of each', async () => {
    const run = vscode.commands.executeCommand('durant.deploy', world.stage);
    await waitFor('the first goal to run', async () => (await states())[0] === 'tested running');
    assert.deepEqual((await states()).slice(1), ['deploy pending', 'marked pending', 'announced pending']);
    writeFileSync(go, '');
    await run;
    assert.deepEqual(await states(), ['tested passed', 'deploy newly', 'marked newly', 'announced warned']);
    const { kind } = await hands.sees(/is live: .* Optional goals failed: announced\./);
    assert.equal(kind, 'warning');
  });

  it('of a second run are achieved already', async () => {
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    assert.deepEqual(await states(), [
      'tested passed',
      'deploy already',
      'marked already',
      'announced warned',
    ]);
    await hands.sees(/was live already on 1 server; done now: tested/);
    await vscode.commands.executeCommand('durant.dryRun', world.stage);
    const row = await review.row(/^marked/, await review.row(/^Goals/));
    assert.equal(row.description, 'already achieved');
    assert.match(review.view().message ?? '', /is live already; still to do: tested, announced/);
  });

  it('end with the one that failed, and those after it are not run', async () => {
    rmSync(mark);
    const text = (await vscode.workspace.fs.readFile(vscode.Uri.file(world.file))).toString();
    await world.write(text.replace(`achieve: touch ${mark}`, 'achieve: exit 1'));
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    assert.deepEqual(await states(), ['tested passed', 'deploy already', 'marked failed', 'announced left']);
    const { kind, choices } = await hands.sees(/The goal marked failed/);
    assert.equal(kind, 'error');
    assert.ok(choices.includes('Retry'));
  });

  it('go when the stage is refreshed', async () => {
    await vscode.commands.executeCommand('durant.stage.refresh', world.stage);
    assert.deepEqual(await goals(), []);
  });
});
