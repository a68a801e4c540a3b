/** Reasons of a goal's step that ended as `done`. */
export const PASSED = 'passed';
export const NEWLY_ACHIEVED = 'newly achieved';
