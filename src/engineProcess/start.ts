/** What the editor starts: the engine is in the program, the file beside this one. */
import module from 'node:module';
import { engineCommand } from './engineCommand.ts';

process.argv.splice(2, 0, engineCommand);
module.createRequire(__filename)('./program.cjs');
