/** In which order servers get something from each other: the first from this machine, then each that has it hands it on to one at a time. */
import { DurantError } from '../../errors.ts';

export interface Relay<Member> {
  /** Waits until somebody is free to hand on; undefined: it is to be had from this machine. @throws {DurantError} `cancelled`. */
  turn(member: Member, signal: AbortSignal): Promise<Member | undefined>;
  /** What became of a sender's turn; `out`: it is asked no more. */
  ended(sender: Member, how: 'worked' | 'failed' | 'out'): void;
  /** The member has it, from wherever, and may hand it on. */
  has(member: Member): void;
  /** It takes no part any more, and hands nothing on. Idempotent. */
  leave(member: Member): void;
  /** Resolves when nobody waits any more. @throws {DurantError} `cancelled`. */
  finished(signal: AbortSignal): Promise<void>;
}

/** So many that fail before one succeeds show that these servers do not reach each other. */
const MOST_FAILURES = 2;

export function openRelay<Member>(members: readonly Member[]): Relay<Member> {
  /** Those that have not got it, in order. */
  const wanting = new Set(members);
  const waiting = new Map<Member, (sender: Member | undefined) => void>();
  const receiving = new Set<Member>();
  const free = new Set<Member>();
  const out = new Set<Member>();
  let failures = 0;
  let successes = 0;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  const next = (): void => {
    const isHopeless = successes === 0 && failures >= MOST_FAILURES;
    for (const member of wanting) {
      const [sender] = isHopeless ? [] : free;
      const isAlone = receiving.size === 0 && sender === undefined;
      const go = waiting.get(member);
      // The first from this machine is the first of all, also where another asks before it.
      if (go === undefined && isAlone && !isHopeless) return;
      if (go === undefined) continue;
      if (sender === undefined && !isAlone && !isHopeless) return;
      if (sender !== undefined) free.delete(sender);
      waiting.delete(member);
      receiving.add(member);
      go(sender);
    }
    if (wanting.size === 0) end();
  };

  return {
    turn: (member, signal) =>
      orCancelled(
        new Promise((resolve) => {
          receiving.delete(member);
          waiting.set(member, resolve);
          next();
        }),
        signal,
      ),
    ended: (sender, how) => {
      if (how === 'worked') successes += 1;
      else failures += 1;
      if (how === 'out') out.add(sender);
      if (!out.has(sender)) free.add(sender);
      next();
    },
    has: (member) => {
      receiving.delete(member);
      wanting.delete(member);
      free.add(member);
      next();
    },
    leave: (member) => {
      out.add(member);
      for (const each of [wanting, waiting, receiving, free]) each.delete(member);
      next();
    },
    finished: (signal) => orCancelled(ended, signal),
  };
}

function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new DurantError('cancelled', 'Cancelled.'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
      .catch(() => undefined);
  });
}
