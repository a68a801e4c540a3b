import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createPrompter, type PromptParts } from '../../src/cli/prompts.ts';
import type { PromptRequest } from '../../src/remote/target.ts';

class Keyboard extends EventEmitter {
  isTTY = true;
  raw = false;
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  resume(): void {
    this.emit('listening');
  }
  pause(): void {
    this.emit('paused');
  }
  type(text: string): void {
    this.emit('data', Buffer.from(text));
  }
}

function terminal(overrides: Partial<PromptParts> = {}) {
  const keyboard = new Keyboard();
  const seen = { screen: '', suspended: 0, interrupts: 0 };
  const prompt = createPrompter({
    input: keyboard,
    screen: { isTTY: true, write: (text) => (seen.screen += text) },
    mayAsk: true,
    suspend: () => seen.suspended++,
    resume: () => seen.suspended--,
    interrupt: () => seen.interrupts++,
    ...overrides,
  });
  /** Asks, and types each answer when the question before it has been put. */
  const answered = async (request: PromptRequest, ...lines: readonly string[]) => {
    const waiting = [...lines];
    const typeNext = (): void => {
      const line = waiting.shift();
      if (line !== undefined) setImmediate(() => keyboard.type(line));
    };
    keyboard.on('listening', typeNext);
    try {
      return await prompt(request, new AbortController().signal);
    } finally {
      keyboard.off('listening', typeNext);
    }
  };
  return { keyboard, seen, prompt, answered };
}

const password: PromptRequest = {
  kind: 'password',
  port: undefined,
  server: 'web1',
  message: "deploy@web1's password",
  user: 'deploy',
  host: 'web1',
  attempt: 1,
};
const hostKey: PromptRequest = {
  kind: 'host-key',
  server: 'web1',
  message: 'web1 is not known.',
  keyType: 'ssh-ed25519',
  fingerprint: 'SHA256:abc',
};
const confirm: PromptRequest = {
  kind: 'confirm',
  server: null,
  message: 'Sure?',
  expect: 'production',
  commits: ['ab12cd3 Two\u001b[2J'],
};

describe('prompts on a terminal', () => {
  it('read a password without showing it, with corrections', async () => {
    const { answered, seen, keyboard } = terminal();
    assert.equal(await answered(password, 'wrong\u0015secretx\u007f\r'), 'secret');
    assert.match(seen.screen, /deploy@web1's password: /);
    assert.doesNotMatch(seen.screen, /secret|wrong/);
    assert.equal(keyboard.raw, false);
    assert.equal(seen.suspended, 0);
  });

  it('put the question once the terminal shows no more what is typed', async () => {
    const raw: boolean[] = [];
    const { answered, keyboard } = terminal({
      screen: { isTTY: true, write: (text) => /password/.test(String(text)) && raw.push(keyboard.raw) },
    });
    assert.equal(await answered(password, 'secret\r'), 'secret');
    assert.deepEqual(raw, [true]);
  });

  it('show the fingerprint and take only a whole yes', async () => {
    const { answered, seen } = terminal();
    assert.equal(await answered(hostKey, 'y\r', 'yes\r'), 'yes');
    assert.match(seen.screen, /ssh-ed25519 SHA256:abc/);
    assert.equal(await terminal().answered(hostKey, 'no\r'), undefined);
  });

  it('confirm by typing the name', async () => {
    const { answered, seen } = terminal();
    assert.equal(await answered(confirm, 'production\r'), 'production');
    assert.ok(seen.screen.includes('  ab12cd3 Two\\x1b[2J\n'), seen.screen);
    assert.equal(await terminal().answered(confirm, 'Production\r'), 'Production');
    assert.equal(await terminal().answered({ ...confirm, expect: undefined }, 'yes\r'), 'yes');
  });

  it('give up on Ctrl+D, on Ctrl+C and when the run is cancelled', async () => {
    assert.equal(await terminal().answered(password, '\u0004'), undefined);
    const interrupted = terminal();
    assert.equal(await interrupted.answered(password, 'abc\u0003'), undefined);
    assert.equal(interrupted.seen.interrupts, 1);
    const { prompt, keyboard } = terminal();
    const abort = new AbortController();
    keyboard.once('listening', () => abort.abort());
    assert.equal(await prompt(password, abort.signal), undefined);
    assert.equal(keyboard.listenerCount('data'), 0);
  });

  it('ask one at a time', async () => {
    const { prompt, keyboard } = terminal();
    const signal = new AbortController().signal;
    keyboard.once('listening', () => setImmediate(() => keyboard.type('one\r')));
    const first = prompt(password, signal);
    const second = prompt(password, signal);
    assert.equal(await first, 'one');
    await new Promise(setImmediate);
    keyboard.type('two\r');
    assert.equal(await second, 'two');
  });
});

describe('prompts without a terminal', () => {
  const signal = new AbortController().signal;
  it('are answered with nothing, at once', async () => {
    assert.equal(await terminal({ mayAsk: false }).prompt(password, signal), undefined);
    const piped = Object.assign(new Keyboard(), { isTTY: false });
    assert.equal(await terminal({ input: piped }).prompt(password, signal), undefined);
    assert.equal(piped.listenerCount('data'), 0);
  });
});
