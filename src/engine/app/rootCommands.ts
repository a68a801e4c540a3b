/**
 * The commands that the login user of a stage runs by sudo, as sudoers has to allow them: THE list of what the engine's scripts
 * (app/apply.ts, app/control.ts, steps/) do as root, and of what the user's own commands ask for. Pure.
 */
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Settings } from '../../config/options/options.ts';
import { parseCommand, type PlacedCommand } from '../../config/values/resolvers.ts';
import { NEW_FILES } from './unitFiles.ts';
import { hasSite } from './site.ts';

/** One command: its program, and its arguments as a pattern of sudoers; undefined: any. */
export interface RootCommand {
  readonly program: string;
  readonly args: string | undefined;
}

export interface RootNeeds {
  readonly commands: readonly RootCommand[];
  /** Commands of durant.conf that use sudo in a way that no line can be made of. */
  readonly unclear: readonly string[];
}

export function rootNeeds(settings: Settings, processes: readonly NamedProcess[]): RootNeeds {
  const own = ownCommands(settings);
  return {
    commands: distinct([
      ...(processes.length > 0 && settings.systemd === 'system' ? UNITS : []),
      ...(hasSite(settings) ? siteCommands(settings.proxy_dir.replace(/\/+$/, '')) : []),
      ...stepCommands(settings),
      ...own.commands,
    ]),
    unclear: own.unclear,
  };
}

/** Arguments as sudoers writes them: what has a meaning of its own there is escaped, but for wildcards. */
export function sudoersArguments(args: string): string {
  return args.replaceAll(/[\\,:=']/g, (special) => `\\${special}`);
}

const any = (program: string): RootCommand => ({ program, args: undefined });

/** Whoever installs units is root in the end: these are no fence, but what is not among them was not asked for. */
const UNITS: readonly RootCommand[] = [
  any('systemctl'),
  { program: 'journalctl', args: '--no-pager *' },
  { program: 'cp', args: `*/${NEW_FILES}/units/* /etc/systemd/system/.durant.*` },
  { program: 'chmod', args: '644 /etc/systemd/system/.durant.*' },
  { program: 'mv', args: '-f /etc/systemd/system/.durant.* /etc/systemd/system/*' },
  { program: 'rm', args: '-f /etc/systemd/system/*' },
];

function siteCommands(folder: string): readonly RootCommand[] {
  return [
    { program: 'systemctl', args: 'reload caddy' },
    { program: 'mkdir', args: `-p ${folder}` },
    { program: 'cp', args: `*/${NEW_FILES}/site ${folder}/.durant.*` },
    { program: 'cp', args: `*/${NEW_FILES}/before ${folder}/*` },
    { program: 'chmod', args: `644 ${folder}/.durant.*` },
    { program: 'mv', args: `-f ${folder}/.durant.* ${folder}/*` },
    { program: 'rm', args: `-f ${folder}/*` },
  ];
}

function stepCommands(settings: Settings): readonly RootCommand[] {
  const writable = settings.writable_use_sudo && settings.writable_dirs.length > 0;
  return [
    ...(writable && settings.writable_mode !== 'skip' ? writableCommands(settings) : []),
    ...(settings.clear_use_sudo && settings.clear_paths.length > 0 ? [any('rm')] : []),
    ...(settings.cleanup_use_sudo ? [any('mv'), any('rm')] : []),
  ];
}

function writableCommands({ writable_mode, writable_recursive }: Settings): readonly RootCommand[] {
  if (writable_recursive || writable_mode === 'sticky') return [any('sh')];
  if (writable_mode === 'acl') return [any('setfacl')];
  if (writable_mode === 'chown') return [any('chown')];
  return writable_mode === 'chgrp' ? [any('chgrp'), any('chmod')] : [any('chmod')];
}

function ownCommands(settings: Settings): RootNeeds {
  const all = ownSudoCommands(settings);
  return {
    commands: all.flatMap(({ words }) => {
      if (words === undefined) return [];
      const [program, ...args] = words;
      return [{ program, args: args.join(' ') || '""' }];
    }),
    unclear: all.flatMap(({ words, placed }) => (words === undefined ? [placed.command] : [])),
  };
}

/** A command of durant.conf that uses sudo on servers. */
export interface OwnSudoCommand {
  /** The option that it stands in. */
  readonly key: string;
  readonly placed: PlacedCommand;
  /** What sudo is to run; undefined where that is not plain words. */
  readonly words: readonly [program: string, ...args: readonly string[]] | undefined;
}

export function ownSudoCommands(settings: Settings): readonly OwnSudoCommand[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    if (!isCommandList(key) || !Array.isArray(value)) return [];
    return value.flatMap((item): readonly OwnSudoCommand[] => {
      const placed = parseCommand(String(item));
      if (placed.place === 'local' || !/\bsudo\b/.test(placed.command)) return [];
      const match = /^sudo(?: -n)? ([A-Za-z0-9_./][A-Za-z0-9_./-]*)((?: [A-Za-z0-9_./@:=+%-]+)*)$/.exec(
        placed.command.trim(),
      );
      const [, program = '', args = ''] = match ?? [];
      const words = [program, ...args.split(' ').filter(Boolean)] as const;
      return [{ key, placed, words: match === null ? undefined : words }];
    });
  });
}

function isCommandList(key: string): boolean {
  if (key === 'before_deploy' || key === 'build_command') return false;
  return /^(before|after)_|^(vendors|release_command|on_failure|health_check)$/.test(key);
}

function distinct(commands: readonly RootCommand[]): readonly RootCommand[] {
  const free = new Set(commands.flatMap(({ program, args }) => (args === undefined ? [program] : [])));
  const seen = new Set<string>();
  return commands.filter(({ program, args }) => {
    if (args !== undefined && free.has(program)) return false;
    const key = `${program} ${args ?? ''}`;
    return !seen.has(key) && seen.add(key);
  });
}
