/** The failure of a goal, and whether another try may help. */
import { DurantError } from '../../../errors.ts';

/** What a goal could not do. Its message is a sentence that ends with the remedy. */
export class GoalFailure extends DurantError {
  /** Whether it may pass by itself: a network error, HTTP 429 or 5xx, exit status 75. Only such failures are tried again. */
  readonly mayPass: boolean;

  constructor(message: string, options: { readonly mayPass?: boolean; readonly cause?: unknown } = {}) {
    super('goal-failed', message, { cause: options.cause });
    this.mayPass = options.mayPass ?? false;
  }
}

/** `EX_TEMPFAIL` of sysexits.h: a command says that it may succeed later. */
export const TEMPORARY_FAILURE = 75;
