/** How long a run waits for people is not how long it works. */
import assert from 'node:assert/strict';
import { waitingPrompter } from '../../src/engine/run/waitingPrompter.ts';
import { appendHistory, parseHistory } from '../../src/engine/server/history.ts';
import type { Prompter, PromptRequest } from '../../src/remote/target.ts';

const question: PromptRequest = { kind: 'confirm', server: null, message: 'Go on?', expect: undefined };

describe('the time in which people are asked', () => {
  it('is counted once where several are asked at once, also while they think', async () => {
    let now = 0;
    const answers: ((answer: string | undefined) => void)[] = [];
    const ask: Prompter = () => new Promise((resolve) => answers.push(resolve));
    const { prompt, waitedMs } = waitingPrompter(ask, () => new Date(now));
    const { signal } = new AbortController();
    now = 1000;
    const first = prompt(question, signal);
    now = 3000;
    const second = prompt(question, signal);
    now = 5000;
    assert.equal(waitedMs(), 4000);
    answers[0]?.('yes');
    assert.equal(await first, 'yes');
    now = 8000;
    answers[1]?.(undefined);
    await second;
    now = 20_000;
    assert.equal(waitedMs(), 7000);
  });

  it('is counted where the question is withdrawn', async () => {
    let now = 0;
    const { prompt, waitedMs } = waitingPrompter(
      () => {
        now = 500;
        return Promise.reject(new Error('withdrawn'));
      },
      () => new Date(now),
    );
    await assert.rejects(prompt(question, new AbortController().signal), /withdrawn/);
    assert.equal(waitedMs(), 500);
  });

  it('is no part of what the log says a run took', () => {
    const who = { user: 'ada', hostname: 'laptop', now: () => new Date(60_000) };
    const about = { run: 'r', action: 'deploy', started: new Date(0), commit: null, from_commit: null };
    const line = appendHistory(
      who,
      'deploy r',
      { ok: true },
      { ...about, release: 'r', servers: [], waitedMs: 50_000 },
    );
    const [, written = ''] = /printf '%s\\n' '(.*)' >> /.exec(line) ?? [];
    assert.equal(parseHistory(written, 'web1')[0]?.ms, 10_000);
  });
});
