/**
 * Whether an answer opened what it was asked for. The engine asks again where one did not, but three wrong answers are followed by no
 * question, and nothing that is wrong is to be remembered. No `vscode` here.
 */
import type { PromptRequest } from '../remote/target.ts';
import type { Question } from './protocol.ts';

/** What of a question can be remembered. */
export type Rememberable = Extract<PromptRequest, { kind: 'passphrase' | 'password' | 'secret' }>;

/** The name that an answer is remembered by: the same in every language of the editor. */
export function secretName(question: Rememberable): string {
  switch (question.kind) {
    case 'passphrase':
      return `passphrase ${question.path}`;
    case 'password':
      return `password ${question.user}@${question.host}${[undefined, 22].includes(question.port) ? '' : `:${String(question.port)}`}`;
    case 'secret':
      return `secret ${question.name}`;
  }
}

/** The answers of one call. */
export interface Acceptance {
  /** Of a question that is asked now; known at the latest when the call has ended. */
  readonly of: (question: Question) => Promise<boolean>;
  /** A connection to this server was opened. */
  readonly connected: (server: string) => void;
  readonly ended: (how: 'well' | 'badly') => void;
}

interface Waiting {
  readonly server: string | null;
  readonly subject: string | undefined;
  /** Whether the connection was there already, as for the password of sudo. */
  readonly later: boolean;
  readonly settle: (accepted: boolean) => void;
}

export function createAcceptance(): Acceptance {
  const servers = new Set<string>();
  let waiting: readonly Waiting[] = [];
  const settle = (which: (each: Waiting) => boolean, accepted: (each: Waiting) => boolean): void => {
    const settled = waiting.filter(which);
    waiting = waiting.filter((each) => !which(each));
    for (const each of settled) each.settle(accepted(each));
  };
  return {
    of: (question) => {
      const { server } = question;
      const subject = subjectOf(question);
      // What is asked once more was not right.
      settle(
        (each) => subject !== undefined && each.subject === subject && each.server === server,
        () => false,
      );
      // Only whoever wrote a secret of durant.conf can know whether it is the right one.
      if (server === null) return Promise.resolve(true);
      return new Promise((resolve) => {
        waiting = [...waiting, { server, subject, later: servers.has(server), settle: resolve }];
      });
    },
    connected: (server) => {
      servers.add(server);
      settle(
        (each) => each.server === server && !each.later,
        () => true,
      );
    },
    ended: (how) => {
      settle(
        () => true,
        ({ later }) => later && how === 'well',
      );
    },
  };
}

function subjectOf(question: Question): string | undefined {
  switch (question.kind) {
    case 'passphrase':
    case 'password':
      return secretName(question);
    default:
      return undefined;
  }
}
