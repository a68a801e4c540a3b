/** `durant init`: a durant.conf to fill in. */
import { defineCommand } from '../command.ts';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sampleConf } from '../../config/generate/sample.ts';
import { placeholder, starterConf } from '../../config/generate/starter.ts';
import { DurantError, reasonOf } from '../../errors.ts';
import { flag } from '../optionValues.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { printable } from '../../printable.ts';
import { CONF_NAME } from '../project.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Write a durant.conf to fill in, in the current folder.',
  help: `
It has ten lines; --all writes one with every option, explained. A durant.conf that exists is never
overwritten.`,
  options: [['--all', 'every option, explained']],
  read: (_, options) => ({ all: flag(options, 'all') }),
  async run({ all }, { cwd, options, output }) {
    const shown = options.config ?? CONF_NAME;
    const file = resolve(cwd, shown);
    try {
      // `wx`: made by this call or not at all.
      await writeFile(file, all ? sampleConf() : starterConf(placeholder), { flag: 'wx' });
    } catch (error) {
      throw refusal(shown, error);
    }
    if (options.json) printJson(output, { file });
    else {
      printLine(output.stdout, `Wrote ${printable(shown)}.`);
      printLine(output.stderr, 'Fill in server and project_dir, then look at it with: durant check');
    }
    return 0;
  },
});

function refusal(shown: string, error: unknown): DurantError {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
    return new DurantError('config-exists', `${shown} exists already and is left as it is.`, {
      remedy: 'Change it, move it away, or name another file with --config FILE.',
      cause: error,
    });
  const why = reasonOf(error);
  return new DurantError('path-not-writable', `${shown} cannot be written: ${why}.`, {
    remedy: 'Go to a folder that you may write in.',
    cause: error,
  });
}
