/** The program's bundle: the command line, and the engine process of the editor, which have the engine in common. */
import { engineCommand } from './engineProcess/engineCommand.ts';

if (process.argv[2] === engineCommand) void import('./engineProcess/main.ts');
else void import('./cli/main.ts');
