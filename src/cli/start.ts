/** What `durant` starts: compiles the program, the file beside this one, or takes its code as an earlier start has compiled it. */
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { constants, Script } from 'node:vm';
import { durantFolders } from '../engine/thisMachine.ts';
import { compiledCode } from './compiledCode.ts';

const program = join(__dirname, 'program.cjs');

// A deploy reads many small things once: a young generation that grows for them would hold 30 MB more to the end.
// Set before anything is compiled, as V8 takes no code that was compiled under other flags.
setFlagsFromString('--semi-space-growth-factor=1');
if (nodeCompiles()) module.createRequire(program)(program);
else start();

/** Where the user has Node keep compiled code, or has told it not to, that goes for Durant as well. */
function nodeCompiles(): boolean {
  const { NODE_COMPILE_CACHE: folder, NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
  return (folder ?? '') !== '' || (disabled ?? '') !== '';
}

function start(): void {
  const source = readFileSync(program);
  const kept = compiledCode(
    join(durantFolders(process.env).cacheDir, 'compiled'),
    source,
    commandOf(process.argv.slice(2)),
  );
  const cachedData = kept.read();
  const script = new Script(module.wrap(source.toString('utf8')), {
    filename: program,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cachedData === undefined || script.cachedDataRejected === true)
    // At the end, when V8 has compiled all that such a command calls.
    process.once('exit', (status) => {
      if (status === 0) kept.write(script.createCachedData());
    });
  hideNodesExperiment();
  const own = { exports: {} };
  script.runInThisContext()(own.exports, module.createRequire(program), own, program, dirname(program));
}

/** Node warns of the first `import()` in a program that is started like this; nobody who deploys can do anything about it. */
function hideNodesExperiment(): void {
  const warn = process.emitWarning.bind(process);
  const emitWarning = (warning: string | Error, ...more: readonly string[]): void => {
    if (!String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) warn(warning, ...more);
  };
  Object.assign(process, { emitWarning });
}

/** The command's name among the words; `help` for none. */
function commandOf(words: readonly string[]): string {
  const name = words.find((word, index) => !word.startsWith('-') && words[index - 1] !== '--config');
  return name !== undefined && /^[a-z_-]{1,20}$/.test(name) ? name : 'help';
}
