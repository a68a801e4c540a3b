/** What the notification of a run says. */
import assert from 'node:assert/strict';
import { progressMessage } from '../../src/editor/stepWords.ts';
import type { RunEvent } from '../../src/engine/index.ts';
import { english } from '../../src/format.ts';
import { advance, newProgress, type RunProgress } from '../../src/report/progress.ts';

function after(...events: readonly object[]): RunProgress {
  const started = {
    event: 'run-started',
    run: 'r',
    action: 'deploy',
    stage: 'production',
    dry_run: false,
    servers: ['web1', 'web2'],
  };
  return [started, ...events].reduce<RunProgress>(
    (progress, event) => advance(progress, event as RunEvent, 0),
    newProgress,
  );
}

const step = (name: string, server: string | null): object => ({
  event: 'step',
  step: name,
  server,
  state: 'running',
  reason: null,
  ms: null,
});

describe('the progress of a run', () => {
  it('is said in words, with the time and the last line of output', () => {
    const building = after(step('before_deploy', null));
    assert.equal(progressMessage(building, 900, '', english), 'Build · 0 %');
    assert.equal(
      progressMessage(building, 12_345, '> vite build', english),
      'Build · 0 % · 12 s · > vite build',
    );
    assert.match(progressMessage(building, 0, 'x'.repeat(500), english), /^Build · 0 % · x{80}…$/);
  });

  it('counts the files of the server that has most of them before it', () => {
    const transfer = (server: string, files: number): object => ({
      event: 'transfer',
      server,
      files,
      bytes: files,
      total_files: 480,
      total_bytes: 480,
    });
    const sending = after(
      step('update_code', 'web1'),
      step('update_code', 'web2'),
      transfer('web1', 400),
      transfer('web2', 12),
    );
    assert.match(
      progressMessage(sending, 0, '', english),
      /^Send 12 of 480 files on 2 of 2 servers · \d+ %$/,
    );
  });

  it('calls a goal by its name', () => {
    assert.match(progressMessage(after(step('npm_published', null)), 0, '', english), /^npm_published · /);
  });
});
