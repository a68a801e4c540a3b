/** The very commands that a run needs root for to change services, to ask sudo for each; rootCommands.ts has their patterns. Pure. */
import { quote } from '../../remote/shell.ts';
import { NEW_FILES } from './unitFiles.ts';
import { newSitePath } from './applySite.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { instanceOf, type ServiceSet } from './serviceSet.ts';

/** Program and arguments. */
export type ApplyCommand = readonly [program: string, ...args: readonly string[]];

export interface ApplyCommandsRequest {
  readonly set: ServiceSet;
  /** Unit files of this project that go, and the units that they run. */
  readonly stale: readonly string[];
  /** Absolute project_dir. */
  readonly project: string;
  readonly proxyDir: string;
  /** Whether the login user may write in `proxyDir` itself. */
  readonly ownSites: boolean;
  /** Whether that folder is there. */
  readonly hasSites: boolean;
}

/** Where system units are installed. */
const UNITS = '/etc/systemd/system';

/** The commands of `applyScript` that `as` runs, and those that take all of it back. */
export function applyCommands({
  set,
  stale,
  project,
  proxyDir,
  ownSites,
  hasSites,
}: ApplyCommandsRequest): readonly ApplyCommand[] {
  return [...(set.manager === 'system' ? unitCommands(set, stale, project) : []), ...siteCommands()];

  function siteCommands(): readonly ApplyCommand[] {
    if (set.site === undefined || ownSites) return [];
    const { path } = set.site;
    const folder = `${project}/${NEW_FILES}`;
    const next = newSitePath(path);
    return [
      ...(hasSites ? [] : [['mkdir', '-p', proxyDir.replace(/\/+$/, '')] as const]),
      ['cp', `${folder}/site`, next],
      ['chmod', '644', next],
      ['mv', '-f', next, path],
      ['cp', `${folder}/before`, path],
      ['rm', '-f', path],
      ['systemctl', 'reload', 'caddy'],
    ];
  }
}

function unitCommands(set: ServiceSet, stale: readonly string[], project: string): readonly ApplyCommand[] {
  if (set.units.length === 0 && stale.length === 0) return [];
  const systemctl = (...args: readonly string[]): ApplyCommand => ['systemctl', ...args];
  const files = set.units.map(({ name }) => name);
  const units = set.units.flatMap((file) => file.units);
  const gone = stale.filter((name) => !name.includes('@.'));
  return [
    systemctl('daemon-reload'),
    ...files.flatMap((name): readonly ApplyCommand[] => [
      ['cp', `${project}/${NEW_FILES}/units/${name}`, `${UNITS}/.durant.${name}`],
      ['chmod', '644', `${UNITS}/.durant.${name}`],
      ['mv', '-f', `${UNITS}/.durant.${name}`, `${UNITS}/${name}`],
    ]),
    ...[...files, ...stale].flatMap((name): readonly ApplyCommand[] => [
      ['rm', '-f', `${UNITS}/${name}`],
      systemctl('disable', '--quiet', name),
    ]),
    ...units.flatMap((unit) => [systemctl('enable', '--quiet', unit), systemctl('reset-failed', unit)]),
    ...[...units, ...gone].map((unit) => systemctl('stop', unit)),
    ...units.map((unit) => systemctl(unit.endsWith('.socket') ? 'start' : 'restart', unit)),
    // An instance that runs already is only started.
    ...instanceOf(set).units.flatMap((file) => file.units.map((unit) => systemctl('start', unit))),
  ];
}

/** sh text: prints each of the commands that sudo would not run for the login user. Nothing is run. */
export function askSudoScript(sudo: Sudo, commands: readonly ApplyCommand[]): string {
  return `LC_ALL=C; export LC_ALL
[ "$(id -u)" != 0 ] || exit 0
${defineAs(sudo)}
# What has sudo's name may not be able to list: then nobody knows.
said=$(as -l 2>&1 >/dev/null) || case $said in *assword*|*'may not run sudo'*) ;; *) exit 0;; esac
may() { as -l "$@" >/dev/null 2>&1 || printf '%s\\n' "$*"; }
# Where everything is allowed, nothing has to be asked one by one.
if [ -z "$(may sh -c :)" ]; then exit 0; fi
${commands.map((words) => `may ${words.map(quote).join(' ')}`).join('\n')}
:`;
}
