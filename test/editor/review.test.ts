/** What a dry run found, as data and as items, without an editor. */
import assert from 'node:assert/strict';
import type { Translate } from '../../src/format.ts';
import type { RunEvent, RunFinished, StepState } from '../../src/engine/index.ts';
import { notListedMessage } from '../../src/engine/source/buildOutput.ts';
import { collectFindings, filesOf, isPending } from '../../src/report/findings.ts';
import type { View } from '../../src/views/item.ts';
import { stalenessOf, type Basis, type Now, type Staleness } from '../../src/views/staleness.ts';
import { reviewChildren, reviewItem, summaryOf, type Review } from '../../src/views/review.ts';

const t: Translate = (text, ...args) =>
  text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));
const view: View = { now: 0, t, localTime: (date) => date };
const servers = ['web1', 'web2'];
const stage = { file: '/shop/durant.conf', stage: 'production' };

function change(kind: 'added' | 'changed' | 'deleted', path: string, server: string): RunEvent {
  return { event: 'change', server, kind, path, bytes: 1000 };
}

function reviewOf(events: readonly RunEvent[], pipeline: readonly string[] = ['deploy']): Review {
  const { take, findings } = collectFindings(pipeline);
  take({ event: 'run-started', action: 'deploy', run: 'r1', stage: 'production', dry_run: true, servers });
  for (const event of events) take(event);
  const finished = {
    ok: true,
    error: null,
    commit: 'c'.repeat(40),
    release: null,
    dry_run: true,
    servers: servers.map((server) => ({ server, state: 'unchanged', current: null, error: null })),
  } as unknown as RunFinished;
  return {
    ...findings(),
    stage,
    ref: undefined,
    finished,
    live: undefined,
    built: undefined,
    plan: undefined,
    basis: { ...stage, live: undefined, commit: 'c'.repeat(40), configuration: '', branch: undefined },
  };
}

const labels = (review: Review, group?: string): readonly string[] => {
  const parent = reviewChildren(review, undefined).find(
    (node) => node.kind === 'group' && node.group === group,
  );
  return reviewChildren(review, group === undefined ? undefined : parent).map(
    (node) => reviewItem(review, node, view).label,
  );
};

describe('the review of a dry run, as data', () => {
  it('puts deletions before changes before what is new, each file once', () => {
    const review = reviewOf([
      ...servers.map((server) => change('added', 'b/new.txt', server)),
      ...servers.map((server) => change('changed', 'page.html', server)),
      ...servers.map((server) => change('deleted', 'old.html', server)),
      change('added', 'a.txt', 'web1'),
    ]);
    assert.deepEqual(labels(review), ['1 file deleted', '1 file changed', '2 files added']);
    assert.deepEqual(labels(review, 'added'), ['a.txt', 'new.txt']);
    assert.deepEqual(
      filesOf(review, 'added').map(({ path, servers: only }) => [path, only]),
      [
        ['a.txt', ['web1']],
        ['b/new.txt', []],
      ],
    );
    assert.equal(isPending(review), true);
    assert.equal(
      summaryOf(review, view),
      'production: ccccccc would go live: 1 to delete, 1 to change, 2 to add. Nothing was changed.',
    );
  });

  it('says so where nothing is pending', () => {
    const review = reviewOf([]);
    assert.equal(isPending(review), false);
    assert.deepEqual(labels(review), []);
    assert.equal(
      summaryOf(review, view),
      'production: ccccccc is live already. A deploy would change nothing.',
    );
  });

  it('lists so many files only, and counts the others', () => {
    const review = reviewOf(
      Array.from({ length: 2005 }, (_, index) => change('added', `file${String(index)}`, 'web1')),
    );
    const added = labels(review, 'added');
    assert.equal(added.length, 2001);
    assert.equal(added.at(-1), '… and 5 more, listed in the output');
  });

  const step = (
    name: string,
    state: StepState,
    reason: string | null,
    server: string | null = null,
  ): RunEvent => ({
    event: 'step',
    step: name,
    server,
    state,
    reason,
    ms: null,
  });

  it('has the goals of a pipeline before the steps, each as it stands', () => {
    const review = reviewOf(
      [
        step('tested', 'pending', 'the command has to run'),
        step('deploy', 'pending', 'another commit is live\non web1'),
        step('update_code', 'pending', 'files differ', 'web1'),
        step('update_code', 'pending', 'files differ', 'web2'),
        step('tagged', 'already', 'v1 points at it'),
        step('announced', 'failed', 'The goal announced cannot be reached: no token'),
        {
          event: 'warning',
          code: 'goal-failed',
          message: 'The goal announced cannot be reached',
          server: null,
        },
      ],
      ['tested', 'deploy', 'tagged', 'announced'],
    );
    assert.deepEqual(labels(review), ['Warnings', 'Goals', 'Steps']);
    assert.deepEqual(labels(review, 'steps'), ['update_code']);
    const [, group] = reviewChildren(review, undefined);
    assert.ok(group);
    assert.equal(reviewItem(review, group, view).description, '3 not achieved');
    assert.deepEqual(
      reviewChildren(review, group)
        .map((node) => reviewItem(review, node, view))
        .map(({ label, description, context }) => [label, description, context]),
      [
        ['tested', 'pending: the command has to run', 'goal pending'],
        ['deploy', 'pending: another commit is live · on web1', 'goal pending'],
        ['tagged', 'already achieved', 'goal already'],
        ['announced', 'unknown: The goal announced cannot be reached: no token', 'goal unknown'],
      ],
    );
    assert.match(summaryOf(review, view), /would go live/);
  });

  it('of a commit that is live already says which goals are left', () => {
    const review = reviewOf(
      [step('deploy', 'already', 'it is live'), step('tagged', 'pending', 'there is no tag v1')],
      ['deploy', 'tagged'],
    );
    assert.equal(isPending(review), true);
    assert.equal(
      summaryOf(review, view),
      'production: ccccccc is live already; still to do: tagged. Nothing was changed.',
    );
  });

  it('of a pipeline that is but the deploy has no goals', () => {
    const review = reviewOf([step('deploy', 'pending', 'x')]);
    assert.deepEqual(review.goals, []);
  });

  it('has warnings first', () => {
    const review = reviewOf([
      change('deleted', 'old.html', 'web1'),
      { event: 'warning', code: 'something', message: 'Look at this.', server: 'web1' },
    ]);
    assert.deepEqual(labels(review), ['Warnings', '1 file deleted']);
    assert.deepEqual(labels(review, 'warnings'), ['Look at this.']);
  });

  const notListed = (isListed: boolean): RunEvent => ({
    event: 'warning',
    code: 'build-output-not-listed',
    message: notListedMessage(isListed),
    server: null,
    data: { listed: isListed ? 'committed files' : 'nothing' },
  });

  it('says what it does not list, and offers to build it', () => {
    const review = reviewOf([notListed(true), change('changed', 'page.html', 'web1')]);
    assert.deepEqual(labels(review), ['Build and List Files', '1 file changed']);
    assert.equal(
      summaryOf(review, view),
      'production: ccccccc would go live: 1 to change. Nothing was changed. What before_deploy makes is not listed.',
    );
    const deleting = reviewOf([notListed(true), change('deleted', 'app.js', 'web1')]);
    assert.match(summaryOf(deleting, view), /not listed, or is listed as deleted\.$/);
  });

  it('does not say that no file differs where none could be listed', () => {
    const review = reviewOf([step('update_code', 'pending', null, 'web1'), notListed(false)]);
    assert.deepEqual(labels(review), ['Build and List Files', 'Steps']);
    assert.equal(
      summaryOf(review, view),
      'production: ccccccc would go live. No file is listed: before_deploy makes all that is sent. Nothing was changed.',
    );
    const equal = reviewOf([step('update_code', 'pending', null, 'web1'), notListed(true)]);
    assert.match(summaryOf(equal, view), /no file differs\. .* What before_deploy makes is not listed\.$/);
  });
});

describe('the review of a dry run', () => {
  const basis: Basis = { ...stage, live: 'a', commit: 'b', configuration: 'c', branch: 'main' };
  const knownWith = (commit: string, error: string | null = null): Now['known'] =>
    ({
      at: 1,
      servers: [{ server: 'web1', current: 'r1', error, releases: [{ name: 'r1', commit, current: true }] }],
    }) as unknown as Now['known'];
  const fresh: Now = {
    known: knownWith('a'),
    configuration: 'c',
    head: { branch: 'main', commit: 'b' },
  };
  const rows: readonly (readonly [string, Partial<Now>, Staleness | undefined])[] = [
    ['while nothing has changed', {}, undefined],
    ['once another release is live', { known: knownWith('x') }, 'live'],
    ['not because a server is not reached', { known: knownWith('x', 'away') }, undefined],
    ['once durant.conf is another', { configuration: 'x' }, 'configuration'],
    ['once its branch has more', { head: { branch: 'main', commit: 'x' } }, 'commits'],
    ['not because another branch is checked out', { head: { branch: 'next', commit: 'x' } }, undefined],
  ];
  for (const [when, change, expected] of rows)
    it(`is ${expected === undefined ? 'up to date' : 'out of date'} ${when}`, () => {
      assert.equal(stalenessOf(basis, { ...fresh, ...change }), expected);
    });
});
