/** What setup writes into sudoers is what runs ask of sudo: `durant setup` allows each command that is asked for, and nothing that is not. */
import assert from 'node:assert/strict';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { resolveForRun } from '../../src/config/values/runSettings.ts';
import { applyCommands, type ApplyCommand } from '../../src/engine/app/applyCommands.ts';
import { BUILT_IN_TEMPLATES } from '../../src/engine/app/builtInTemplates.ts';
import { renderServices } from '../../src/engine/app/renderServices.ts';
import { rootNeeds, type RootCommand } from '../../src/engine/app/rootCommands.ts';
import { stepSudoCommands } from '../../src/engine/app/stepSudo.ts';

/** Read where a service does not start; a run goes on without it. */
const NOT_ASKED = 'journalctl --no-pager *';

async function linesFor(conf: string): Promise<{
  readonly allowed: readonly RootCommand[];
  readonly asked: readonly ApplyCommand[];
}> {
  const doc = parseConf(
    `[production]\nrepository = git@example.org:team/Shop.git\nserver = web1\nproject_dir = /srv/shop\n${conf}`,
  );
  const { settings, processes } = await resolveForRun(doc, 'production', {
    env: {},
    runShell: () => Promise.reject(new Error('no shell here')),
    secret: () => Promise.resolve(undefined),
    gpg: () => Promise.reject(new Error('no gpg here')),
    signal: new AbortController().signal,
  });
  const set = renderServices({
    app: 'shop',
    stage: 'production',
    settings,
    processes,
    address: settings.server[0] ?? { roles: [] },
    templates: BUILT_IN_TEMPLATES,
    project: '/srv/shop',
    user: 'deploy',
    release: 'r1',
  });
  const services = applyCommands({
    set,
    stale: set.units.length === 0 ? [] : ['shop-old.service'],
    project: '/srv/shop',
    proxyDir: settings.proxy_dir,
    ownSites: false,
    hasSites: false,
  });
  const steps = stepSudoCommands(settings, () => true).map(({ words }) => words);
  return { allowed: rootNeeds(settings, processes).commands, asked: [...services, ...steps] };
}

/** As sudoers has it: `*` is anything, blanks and slashes included. */
function allows({ program, args }: RootCommand, [asked, ...words]: ApplyCommand): boolean {
  if (program !== asked) return false;
  if (args === undefined) return true;
  if (args === '""') return words.length === 0;
  const pattern = args.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${pattern.join('.*')}$`).test(words.join(' '));
}

const web = '[process web]\ncommand = python3 app.py\nsocket = yes\n';

describe('lines of sudoers', () => {
  for (const [title, conf] of [
    [
      'units',
      '[process worker]\ncommand = ./work\nreplicas = 2\n[process job]\ncommand = ./job\ntimer = OnCalendar=daily\n',
    ],
    ['units and a site', `domain_name = shop.test\nstatics = /static/ = public\n${web}`],
    [
      'units of the login user, and a site',
      'systemd = user\ndomain_name = shop.test\n[process web]\ncommand = ./serve {port}\n',
    ],
    ['a site alone', 'domain_name = shop.test\nupstream = 127.0.0.1:1\n'],
    ['writable folders, acl', 'writable_dirs = var\nwritable_use_sudo = yes\n'],
    [
      'writable folders, chown',
      'writable_dirs = var\nwritable_use_sudo = yes\nwritable_mode = chown\nhttp_user = web\n',
    ],
    ['writable folders, chgrp', 'writable_dirs = var\nwritable_use_sudo = yes\nwritable_mode = chgrp\n'],
    ['writable folders, chmod', 'writable_dirs = var\nwritable_use_sudo = yes\nwritable_mode = chmod\n'],
    ['writable folders, sticky', 'writable_dirs = var\nwritable_use_sudo = yes\nwritable_mode = sticky\n'],
    [
      'writable folders, recursive',
      'writable_dirs = var\nwritable_use_sudo = yes\nwritable_recursive = yes\n',
    ],
    ['writable folders without sudo', 'writable_dirs = var\n'],
    [
      'paths to clear, old releases',
      'clear_paths = a/tmp, b\nclear_use_sudo = yes\ncleanup_use_sudo = yes\n',
    ],
    [
      'commands of durant.conf',
      'vendors =\n  sudo -n /usr/bin/id\n  on web! sudo systemctl reload php8.2-fpm\n  once db! sudo ./migrate --all\nafter_rollback = sudo true\nbefore_symlink = local! sudo here\nhealth_check = sudo journalctl | grep ok\n',
    ],
    ['nothing', 'vendors = ./install\n'],
  ] as const)
    it(`are what is asked for: ${title}`, async () => {
      const { allowed, asked } = await linesFor(conf);
      for (const command of asked)
        assert.ok(
          allowed.some((line) => allows(line, command)),
          `setup does not allow: ${command.join(' ')}`,
        );
      for (const line of allowed) {
        const text = `${line.program} ${line.args ?? ''}`.trim();
        if (text !== NOT_ASKED)
          assert.ok(
            asked.some((command) => allows(line, command)),
            `nobody asks for: ${text}`,
          );
      }
    });
});
