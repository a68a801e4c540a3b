/** Answers the engine's questions on a terminal, one at a time; without a terminal it answers nothing, at once. */
import type { Prompter, PromptRequest } from '../remote/target.ts';
import type { TextStream } from './output.ts';
import { printable, printableLines } from '../printable.ts';

/** As much of a terminal's input as questions need. */
export interface TerminalInput {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PromptParts {
  readonly input: TerminalInput;
  /** Where questions are shown: standard error. */
  readonly screen: TextStream;
  /** False with `--json`: then nothing is asked even on a terminal. */
  readonly mayAsk: boolean;
  /** Called around each question, so that the live display makes room. */
  readonly suspend: () => void;
  readonly resume: () => void;
  /** Ctrl+C typed into a question: the terminal's own signal is off while it is masked. */
  readonly interrupt: () => void;
}

/** Whether somebody is there to answer. */
export function canAsk({ input, screen, mayAsk }: Pick<PromptParts, 'input' | 'screen' | 'mayAsk'>): boolean {
  return mayAsk && input.isTTY === true && screen.isTTY === true;
}

export function createPrompter(parts: PromptParts): Prompter {
  if (!canAsk(parts)) return () => Promise.resolve(undefined);
  let last: Promise<unknown> = Promise.resolve();
  return (request, signal) => {
    // Several servers may ask at once: their questions queue.
    const answer = last.then(async () => {
      if (signal.aborted) return undefined;
      parts.suspend();
      try {
        return await ask(request, signal, parts);
      } finally {
        parts.resume();
      }
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}

async function ask(
  request: PromptRequest,
  signal: AbortSignal,
  parts: PromptParts,
): Promise<string | undefined> {
  const { screen } = parts;
  const message = printableLines(request.message);
  switch (request.kind) {
    case 'host-key':
      screen.write(`${message}\n  ${printable(request.keyType)} ${printable(request.fingerprint)}\n`);
      return askYes('Is this the right key? [yes/no] ', signal, parts);
    case 'confirm':
      screen.write(`${message}\n`);
      for (const commit of request.commits ?? []) screen.write(`  ${printable(commit)}\n`);
      if (request.expect === undefined) return askYes('Go on? [yes/no] ', signal, parts);
      // What was typed goes back as it is: the engine tells a wrong name from no answer.
      return readLine(`${printable(request.expect)}? `, 'shown', signal, parts);
    case 'one-time-code':
      return readLine(withColon(message), request.echo ? 'shown' : 'hidden', signal, parts);
    case 'passphrase':
    case 'password':
    case 'secret':
      return readLine(withColon(message), 'hidden', signal, parts);
  }
}

/** Only the whole word counts, as with ssh: a stray key must not trust a host. */
async function askYes(
  question: string,
  signal: AbortSignal,
  parts: PromptParts,
): Promise<string | undefined> {
  for (;;) {
    const answer = (await readLine(question, 'shown', signal, parts))?.trim().toLowerCase();
    if (answer === undefined || answer === 'no' || answer === 'n') return undefined;
    if (answer === 'yes') return 'yes';
    parts.screen.write("Please type 'yes' or 'no'.\n");
  }
}

function withColon(message: string): string {
  return /[:?]\s*$/.test(message) ? `${message.trimEnd()} ` : `${message.replace(/[.\s]+$/, '')}: `;
}

/** One line from the terminal; undefined when it was ended by Ctrl+C, Ctrl+D or the signal. Never part of any log. */
function readLine(
  question: string,
  echo: 'shown' | 'hidden',
  signal: AbortSignal,
  { input, screen, interrupt }: PromptParts,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder();
    let typed: string[] = [];
    const finish = (answer: string | undefined): void => {
      input.off('data', receive);
      signal.removeEventListener('abort', cancel);
      input.setRawMode?.(false);
      input.pause();
      screen.write('\n');
      resolve(answer);
    };
    const cancel = (): void => {
      finish(undefined);
    };
    const show = (text: string): void => {
      if (echo === 'shown') screen.write(text);
    };
    const receive = (chunk: Buffer): void => {
      for (const character of decoder.decode(chunk, { stream: true })) {
        switch (character) {
          case '\r':
          case '\n':
            finish(typed.join(''));
            return;
          case '\u0003':
            finish(undefined);
            interrupt();
            return;
          case '\u0004':
            finish(typed.length === 0 ? undefined : typed.join(''));
            return;
          case '\u0015':
            show('\b \b'.repeat(typed.length));
            typed = [];
            break;
          case '\u007f':
          case '\b':
            if (typed.pop() !== undefined) show('\b \b');
            break;
          default:
            typed.push(character);
            show(printable(character));
        }
      }
    };
    signal.addEventListener('abort', cancel, { once: true });
    // Before the question: from then on somebody may type, and the terminal must not show it.
    input.setRawMode?.(true);
    screen.write(question);
    input.on('data', receive);
    input.resume();
  });
}
