/** The very commands that steps of a deploy and durant.conf's own lists run by sudo; rootCommands.ts has their patterns. Pure. */
import type { PlacedCommand } from '../../config/values/resolvers.ts';
import type { Settings } from '../../config/options/options.ts';
import type { ApplyCommand } from './applyCommands.ts';
import { ownSudoCommands } from './rootCommands.ts';

export interface StepSudoCommand {
  readonly words: ApplyCommand;
  /** Whether every deploy runs it in these words; of others the words are an example, or they are a last resort. */
  readonly certain: boolean;
}

/** @param runsHere whether a command of durant.conf is for the server that will be asked. */
export function stepSudoCommands(
  settings: Settings,
  runsHere: (placed: PlacedCommand) => boolean,
): readonly StepSudoCommand[] {
  const { clear_paths, clear_use_sudo, cleanup_use_sudo } = settings;
  const names = clear_paths.map((path) => path.replace(/\/+$/, '').replace(/^.*\//, ''));
  const old = '20261121101500-ab12cd3';
  return [
    ...(settings.writable_use_sudo && settings.writable_dirs.length > 0 ? writableCommands(settings) : []),
    ...(clear_use_sudo ? names : []).map((name) => certainly('rm', '-rf', `./${name}`)),
    ...(cleanup_use_sudo
      ? [
          perhaps('mv', `releases/${old}`, `.durant/trash.${old}`),
          perhaps('rm', '-rf', `.durant/trash.${old}`),
        ]
      : []),
    ...ownSudoCommands(settings).flatMap(({ key, placed, words }): readonly StepSudoCommand[] => {
      if (words === undefined || !runsHere(placed)) return [];
      return [{ words, certain: key !== 'after_rollback' && key !== 'on_failure' }];
    }),
  ];
}

function writableCommands(settings: Settings): readonly StepSudoCommand[] {
  const { writable_mode: mode, http_user, http_group, writable_chmod_mode: bits } = settings;
  if (mode === 'skip') return [];
  if (settings.writable_recursive || mode === 'sticky') return [certainly('sh', '-c', ':')];
  // Which user and group it is where none is set is found on the server, when the release is there.
  const [user, group] = [http_user ?? 'www-data', http_group ?? 'www-data'];
  switch (mode) {
    case 'acl':
      return [perhaps('setfacl', '-m', `u:${user}:rwX`, '.')];
    case 'chown':
      return [{ words: ['chown', '-h', user, '.'], certain: http_user !== undefined }];
    case 'chgrp':
      return [
        { words: ['chgrp', '-h', group, '.'], certain: http_group !== undefined },
        certainly('chmod', 'g+rwX', '.'),
      ];
    case 'chmod':
      return [certainly('chmod', bits, '.')];
  }
}

function certainly(...words: ApplyCommand): StepSudoCommand {
  return { words, certain: true };
}

function perhaps(...words: ApplyCommand): StepSudoCommand {
  return { words, certain: false };
}
