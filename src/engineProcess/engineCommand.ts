/** The word by which the program is the engine process; no command of the command line. */
export const engineCommand = '__engine';
