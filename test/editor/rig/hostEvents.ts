/** What the tests in an extension host tell, taken from a socket: their results, and whether they came to their end. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { HostEvent } from './hostRunner.ts';

export interface HostResult {
  readonly title: string;
  readonly state: 'passed' | 'skipped' | 'failed';
  readonly error?: string;
}

export interface HostOutcome {
  readonly results: readonly HostResult[];
  /** Why the results are not all that were announced; undefined where they are. */
  readonly incomplete: string | undefined;
}

export interface HostEvents {
  /** Resolves when the tests have told their end, or cannot do so any more. */
  readonly outcome: Promise<HostOutcome>;
  /** The extension host is gone: where it has told nothing yet, nothing will come. */
  readonly hostEnded: () => void;
  /** Ends the waiting. */
  readonly giveUp: (why: string) => void;
  readonly close: () => void;
}

/**
 * Longest wait for the first event and from one to the next, ms: no window takes as long to open, and no test to run. A crash is told by the
 * socket at once.
 */
const silenceLimit = 300_000;

/** @param socket path of the socket to listen at. */
export async function listenForHostEvents(socket: string): Promise<HostEvents> {
  const results: HostResult[] = [];
  let announced: number | undefined;
  let counted = 0;
  let last = 'nothing';
  let end: (why: string | undefined) => void = () => undefined;
  const ended = new Promise<string | undefined>((done) => (end = done));
  const overdue = (): void => {
    end(`Nothing was heard for ${String(silenceLimit / 1000)} s`);
  };
  let silence = setTimeout(overdue, silenceLimit);

  const take = (event: HostEvent): void => {
    clearTimeout(silence);
    silence = setTimeout(overdue, silenceLimit);
    switch (event.event) {
      case 'announced':
        if (announced !== undefined) end('The tests began a second time');
        announced = event.tests;
        return;
      case 'began':
        last = event.title;
        return;
      case 'ended':
        end(undefined);
        return;
      case 'hook-failed':
        results.push({ title: event.title, state: 'failed', error: event.error });
        return;
      case 'failed':
        counted += 1;
        results.push({ title: event.title, state: 'failed', error: event.error });
        return;
      default:
        counted += 1;
        results.push({ title: event.title, state: event.event });
    }
  };
  let connected = false;
  const server = createServer((connection) => {
    connected = true;
    createInterface({ input: connection }).on('line', (line) => {
      take(JSON.parse(line) as HostEvent);
    });
    connection.on('close', () => {
      end('The extension host ended before its tests did');
    });
    connection.on('error', () => undefined);
  });
  server.listen(socket);
  await once(server, 'listening');

  return {
    outcome: ended.then((why) => {
      if (why === undefined && counted === announced && counted > 0)
        return { results, incomplete: undefined };
      const count = `${String(counted)} of ${String(announced ?? 'unknown')} tests have a result`;
      return { results, incomplete: `${why ?? 'The tests ended'}: ${count}. Begun last: ${last}.` };
    }),
    hostEnded: () => {
      if (!connected) end('The extension host ended before its tests began');
    },
    giveUp: (why) => {
      end(why);
    },
    close: () => {
      clearTimeout(silence);
      server.close();
    },
  };
}
