/** The name of a stage's application: of its units, its proxy site, its binary. */
import { basename, dirname } from 'node:path';
import { DurantError } from '../../errors.ts';
import type { StageRequest } from '../run/run.ts';

/**
 * `app`, else the repository's name, `-`, and the stage, in lower-case letters, digits and `-`.
 * @throws {DurantError} `config-invalid` where none of that is left of them.
 */
export function appName({
  settings,
  stage,
  file,
}: Pick<StageRequest, 'settings' | 'stage' | 'file'>): string {
  if (settings.app !== undefined) return settings.app;
  const path = settings.repository.replace(/\/+$/, '').replace(/\/?\.git$/, '');
  const last = /[^/:\\]*$/.exec(path)?.[0] ?? '';
  const repository = /^\.*$/.test(last) ? basename(dirname(file)) : last;
  const name = plain(`${repository}-${stage}`);
  if (name === '')
    throw new DurantError(
      'config-invalid',
      `The application of [${stage}] has no name that systemd could use.`,
      { remedy: 'Write app = NAME.' },
    );
  return name;
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
