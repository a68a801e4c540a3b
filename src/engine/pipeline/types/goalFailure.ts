/** The failure of a goal, and whether another try may help. */
import { DurantError, type ErrorDetails } from '../../../errors.ts';

interface GoalFailureDetails extends ErrorDetails {
  readonly mayPass?: boolean;
}

/** What a goal could not do. Its summary ends with the remedy. */
export class GoalFailure extends DurantError {
  /** Whether it may pass by itself: a network error, HTTP 429 or 5xx, exit status 75. Only such failures are tried again. */
  readonly mayPass: boolean;

  constructor(summary: string, { mayPass = false, ...details }: GoalFailureDetails = {}) {
    super('goal-failed', summary, details);
    this.mayPass = mayPass;
  }
}

/** `EX_TEMPFAIL` of sysexits.h: a command says that it may succeed later. */
export const TEMPORARY_FAILURE = 75;
