/**
 * npm run lint:shell: shellcheck reads, as POSIX sh, every shell file of src, and every script that is sent to servers, rendered with samples.
 * A file tells shellcheck itself what is on purpose. Without shellcheck it says so and fails nothing, but in CI.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseConf } from '../src/config/syntax/parse.ts';
import { resolveForRun } from '../src/config/values/runSettings.ts';
import { applyScript } from '../src/engine/app/apply.ts';
import { drainer, startDrain, type DrainRequest } from '../src/engine/app/drain.ts';
import { listensScript, removeInstance, startInstance } from '../src/engine/app/instance.ts';
import { askSudoScript } from '../src/engine/app/applyCommands.ts';
import { installedScript } from '../src/engine/app/installedServices.ts';
import { lastLinesScript } from '../src/engine/app/journal.ts';
import { lookScript } from '../src/engine/app/lookAtServices.ts';
import { maintenanceScript } from '../src/engine/app/maintenanceSite.ts';
import type { Sudo } from '../src/engine/app/privilege.ts';
import type { ServiceSet } from '../src/engine/app/serviceSet.ts';
import { setupScript } from '../src/engine/app/setupScript.ts';
import { appShellScript } from '../src/engine/app/shellScript.ts';
import { watchScript } from '../src/engine/app/unitStates.ts';
import { removalFunctions, removeQuietly } from '../src/engine/run/removal.ts';
import { adoptableQuery } from '../src/engine/server/adoptable.ts';
import { replaceLinkFunction, trySwitch } from '../src/engine/server/linkSwitch.ts';
import {
  breakLockScript,
  endOwnScript,
  lockScript,
  prepareScript,
  takeOverScript,
  unlockScript,
} from '../src/engine/server/lockScripts.ts';
import { listScript, readScript } from '../src/engine/server/serverFiles.ts';
import { factsQuery } from '../src/engine/server/serverFacts.ts';
import { confirmScript, startWatcher, watcher } from '../src/engine/server/watcherScript.ts';
import { clearScript } from '../src/engine/steps/clearPaths.ts';
import { copyFolder } from '../src/engine/steps/copyDirs.ts';
import { COMPLETE } from '../src/engine/steps/assetDirs.ts';
import { linkShared } from '../src/engine/steps/shared.ts';
import { pythonInstallScript } from '../src/engine/steps/pythonInstall.ts';
import { writableScript } from '../src/engine/steps/writable.ts';
import { killScript } from '../src/remote/bootstrap.ts';
import { enterFolder, refuseLinks } from '../src/remote/shell.ts';
import { compareScript as compareFolderScript } from '../src/transfer/inplace/compareFolder.ts';
import { touchedInplaceScript } from '../src/transfer/inplace/modifiedInplace.ts';
import { placeScript } from '../src/transfer/inplace/placeFiles.ts';
import { landingScript } from '../src/transfer/rsync/rsync.ts';
import { compareScript as compareReleaseScript } from '../src/transfer/stream/compareRelease.ts';
import { touchedScript } from '../src/transfer/stream/modified.ts';
import { transferProbe } from '../src/transfer/stream/probe.ts';
import { handOnScript } from '../src/transfer/stream/handOn.ts';
import {
  cleanupScript,
  restoreScript,
  updateScript,
  type Base,
} from '../src/transfer/stream/updateScript.ts';
import { spareStopScript, warmCopyScript, worker } from '../src/transfer/stream/warmCopy.ts';

/** Lines that break a rule on purpose. One that fits nothing any more is a problem, too. */
const ON_PURPOSE: readonly { readonly code: number; readonly line: RegExp; readonly why: string }[] = [
  { code: 1007, line: /\w= |\w=$/, why: 'Several variables are made empty in one line.' },
  { code: 1090, line: /\. "\$p\/\.durant\/env\/\$r"/, why: "The release's own environment file." },
  {
    code: 2034,
    line: /^mask=/,
    why: 'What all scripts of the transfer begin with; not all need each.',
  },
  {
    code: 2034,
    line: /^top=\$\(pwd\)/,
    why: 'What all scripts of the transfer begin with; not all need each.',
  },
  { code: 2034, line: /^run=.* how=/, why: 'Only a copy of the live release needs `how`.' },
  { code: 2034, line: /^places=/, why: 'What all scripts of services begin with; not all need each.' },
  { code: 2043, line: /^\s*for [un] in/, why: 'Filled in; the sample has one.' },
  { code: 2046, line: /\/proc\/|lock_id\(\)/, why: 'Words are wanted.' },
  {
    code: 2089,
    line: /^\s*pair='NR|; export pair$|^A=|^run=/,
    why: 'Text that nobody splits: a program of awk, a value or a name with a quote in it.',
  },
  {
    code: 2090,
    line: /export pair$|export A$|export R &&$/,
    why: 'Text that nobody splits: a program of awk, a value or a name with a quote in it.',
  },
  { code: 2140, line: /case \$changed in/, why: 'Blanks around a word.' },
  { code: 2157, line: /\[ -n /, why: 'Filled in.' },
  { code: 2194, line: /^\s*case /, why: 'Filled in.' },
  { code: 2209, line: /(detach|run)=(setsid|nohup)/, why: 'The name of a command, for later.' },
  { code: 2254, line: /in \$p\) say imported/, why: 'A pattern, as Caddy has them.' },
  {
    code: 3013,
    line: / -ef /,
    why: 'dash, busybox, bash, ksh and zsh have it; what else would compare is no shorter.',
  },
];

export interface RenderedScript {
  readonly name: string;
  readonly text: string;
}

export interface ShellProblem {
  readonly script: string;
  readonly code: number;
  readonly message: string;
  /** The line itself. */
  readonly line: string;
}

/** Every script, in each of its forms. */
export async function renderScripts(): Promise<readonly RenderedScript[]> {
  const run = '20261121101500-ab12cd34';
  const release = "20261121101500-it's";
  const digest = 'a'.repeat(64);
  const projectDir = "~/it's";
  const receiver = {
    user: 'deploy',
    host: 'web2',
    port: 22,
    hostKey: { type: 'ssh-ed25519', blob: Buffer.from('key') },
    identity: { publicKey: Buffer.from('key'), sign: () => Promise.resolve(undefined) },
  };
  const free: Sudo = { kind: 'free' };
  const seen = { id: '1 2 3', claims: ['20261120101500-ab12cd34', 'gone'] } as const;
  const drain: DrainRequest = {
    run: 'run',
    project: "/srv/it's",
    manager: 'system',
    sudo: { kind: 'free' },
    wanted: ['shop.service'],
    seconds: 30,
    inScope: true,
  };
  const set: ServiceSet = {
    manager: 'system',
    units: [
      { name: 'shop@.service', process: 'web', text: "a\nit's\n", units: ['shop@1.service'], mayEnd: false },
      { name: 'shop.socket', process: 'web', text: 'b\n', units: ['shop.socket'], mayEnd: false },
    ],
    site: { path: '/etc/caddy/conf.d/shop.caddy', text: 'shop.test {\n}\n' },
  };
  const { settings, processes } = await sampleSettings();
  const hashTool = 'sha256sum' as const;
  const touched = { projectDir, run, release, hashTool };
  const strategies = ['releases', 'inplace'] as const;
  const bases: readonly Base[] = [
    { kind: 'fresh' },
    { kind: 'kept' },
    { kind: 'live', release, spareRun: undefined },
    { kind: 'live', release, spareRun: run },
  ];
  const watch = {
    run,
    release,
    project: "/srv/it's",
    seconds: 60,
    currentPath: 'current',
    link: `releases/${release}`,
    linkBefore: 'releases/1',
    switchBy: 'mv -T',
    isNew: true,
    lock: "run = it's\n",
    who: 'ann@home',
    services: ['echo services'],
    inScope: false,
  } as const;
  const named: [string, string][] = [
    ...strategies.flatMap((strategy): [string, string][] => [
      [`lock, ${strategy}`, lockScript(projectDir, run, strategy)],
      [`take over, ${strategy}`, takeOverScript(projectDir, run, seen, strategy)],
      [`break lock, ${strategy}`, breakLockScript(projectDir, run, seen, strategy, 'echo more')],
      [`prepare, ${strategy}`, prepareScript(projectDir, strategy)],
      [
        `facts, ${strategy}`,
        factsQuery({ projectDir, currentPath: 'current', shared: ['a b'], strategy }).script,
      ],
      [
        `compare release, ${strategy}`,
        compareReleaseScript({ projectDir, release, hashTool, strategy, through: ['a b'] }),
      ],
    ]),
    ['unlock', unlockScript(run)],
    ['end own', endOwnScript(run, 1)],
    ['start watcher', startWatcher(watch)],
    ['watcher', watcher(watch)],
    ['watcher, nothing before', watcher({ ...watch, linkBefore: undefined, isNew: false, services: [] })],
    ['confirm', confirmScript(run)],
    ['adoptable', adoptableQuery(release, []).script],
    ['switch', `${replaceLinkFunction}replace_link 'mv -T' current releases/1 ${run}`],
    ['try switch', trySwitch()],
    ...[true, false].flatMap((cleanup_use_sudo): [string, string][] => [
      [
        `removal, sudo ${String(cleanup_use_sudo)}`,
        `${removalFunctions({ current_path: 'current', cleanup_use_sudo })}\nempty_trash; remove_release 1`,
      ],
      ['remove quietly', removeQuietly({ current_path: 'current', cleanup_use_sudo }, [release])],
    ]),
    ...bases.flatMap((base) =>
      (['stream', 'delivered'] as const).map((carrier): [string, string] => [
        `update, ${base.kind}, ${carrier}`,
        updateScript({
          projectDir,
          run,
          release,
          commit: digest.slice(0, 40),
          base,
          unchanged: 'copy',
          hashTool,
          carrier,
          decompress: carrier === 'stream' ? 'zstd -dc' : undefined,
          digest,
          before: 'echo before',
          after: 'echo after',
        }),
      ]),
    ),
    ['cleanup', cleanupScript(projectDir, run, release)],
    ['restore', restoreScript(projectDir, run, release)],
    ['hand on', handOnScript({ folder: "/srv/it's", to: receiver, destination: "/srv/it's" })],
    ['warm copy', warmCopyScript(touched)],
    ['warm copy, worker', worker(touched)],
    [
      'place files',
      placeScript({ projectDir, run, release, before: '', facts: { hashTool }, plan: { sendFiles: 1 } }),
    ],
    ['stop spares', spareStopScript(projectDir)],
    ['touched', touchedScript(touched)],
    ['touched, inplace', touchedInplaceScript(touched)],
    ['compare folder', compareFolderScript(projectDir, hashTool)],
    ['landing', landingScript(projectDir, run)],
    ['probe', `live=1\n${transferProbe.script}`],
    ...(['by sudo', 'as login user'] as const).map((how): [string, string] => [
      `clear, ${how}`,
      clearScript(['a b/c', 'd'], how),
    ]),
    ...(['acl', 'chown', 'chgrp', 'chmod', 'sticky', 'skip'] as const).map(
      (writable_mode): [string, string] => [
        `writable, ${writable_mode}`,
        writableScript({
          settings: { ...settings, writable_mode, writable_recursive: true, writable_use_sudo: true },
          folders: ['a b'],
          scratch: `.durant/incoming.${run}`,
        }),
      ],
    ),
    [
      'python',
      pythonInstallScript({
        release: `/srv/${release}`,
        previous: '/srv/1',
        wheel: 'a.whl',
        requirements: 'requirements.txt',
        pythonVersion: '3.12',
      }),
    ],
    [
      'copy dirs',
      `${refuseLinks()}\n${enterFolder()}\ncopy=.durant/incoming.${run}\n${copyFolder}\ncopy_folder a b c || exit 1`,
    ],
    [
      'asset dirs',
      `${refuseLinks()}\nnew=${run} t=.durant/assets.${run}\n${COMPLETE}\ncomplete_from 1 a || exit 1`,
    ],
    ...(['dir', 'file'] as const).map((kind): [string, string] => [
      `shared ${kind}`,
      `${refuseLinks()}\n${linkShared('releases/1', 'a b/c', kind)}`,
    ]),
    ['kill, group', killScript({ pid: 100, pgid: 100, started: '1' })],
    ['kill, tree', killScript({ pid: 100, pgid: 90, started: '1' })],
    ['services, look', lookScript(set, "/srv/it's")],
    ['services, installed', installedScript(set, "/srv/it's", '/etc/caddy/conf.d')],
    [
      'services, apply',
      applyScript({
        set,
        project: "/srv/it's",
        sudo: free,
        proxyDir: '/etc/caddy/conf.d',
        serving: [],
        left: 'to drain',
        kept: [],
      }),
    ],
    ['services, watch', watchScript(set, free, 5)],
    ['services, instance', startInstance({ set, project: "/srv/it's", sudo: free })],
    ['services, instance gone', removeInstance({ set, project: "/srv/it's", sudo: free })],
    ['services, listens', listensScript('127.0.0.1:20000', 5)],
    ['services, drain', startDrain(drain)],
    ['services, drainer', drainer(drain)],
    ['services, last lines', lastLinesScript('system', free, 'shop@1.service')],
    ['sudo', askSudoScript({ kind: 'password', password: "it's" }, [['systemctl', 'restart', 'shop']])],
    ...(['on', 'off'] as const).flatMap((to): [string, string][] =>
      set.site === undefined
        ? []
        : [
            [
              `maintenance ${to}`,
              maintenanceScript({
                site: set.site,
                project: "/srv/it's",
                proxyDir: '/etc/caddy/conf.d',
                sudo: free,
                to,
              }),
            ],
          ],
    ),
    [
      'setup',
      setupScript({
        stage: 'production',
        app: 'shop',
        settings,
        processes,
        users: ['ann'],
        publicKey: 'ssh-ed25519 A',
      }),
    ],
    ['list', listScript(projectDir)],
    ['read', readScript(projectDir, { base: 'current', most: 100, part: 'all' })],
    ['read-end', readScript(projectDir, { base: '', most: 100, part: 'end' })],
    [
      'shell',
      appShellScript(
        {
          stage: 'production',
          settings,
          processes,
          secrets: [],
          file: '/x/durant.conf',
          servers: settings.server,
        },
        undefined,
      ),
    ],
  ];
  return named.map(([name, text]) => ({ name, text }));
}

function shellFiles(): readonly string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sh'))
    .map((name) => `src/${name}`);
}

async function sampleSettings() {
  const text = `[production]
repository = .
server = ann@web1
project_dir = /srv/it's
domain_name = shop.test
env = A=it's
shared_dirs = log
writable_dirs = tmp
[process web]
command = run
`;
  const none = (): Promise<never> => Promise.reject(new Error('The sample needs no resolver.'));
  return resolveForRun(parseConf(text), 'production', {
    env: {},
    signal: new AbortController().signal,
    runShell: none,
    secret: none,
    gpg: none,
  });
}

/** What shellcheck has against a script, from its level `warning` up; undefined where there is no shellcheck. */
export function checkScript({ name, text }: RenderedScript): readonly ShellProblem[] | undefined {
  const { stdout, error } = spawnSync(
    'shellcheck',
    [
      '--shell=sh',
      '--severity=warning',
      '--format=json1',
      `--exclude=${Object.keys(ON_PURPOSE).join(',')}`,
      '-',
    ],
    { input: text, encoding: 'utf8' },
  );
  if (error !== undefined) return undefined;
  const { comments }: { readonly comments: readonly { line: number; code: number; message: string }[] } =
    JSON.parse(stdout);
  const lines = text.split('\n');
  return comments.map(({ line, code, message }) => ({
    script: name,
    code,
    message,
    line: lines[line - 1] ?? '',
  }));
}

async function main(): Promise<number> {
  const files = spawnSync('shellcheck', ['--shell=sh', '--severity=warning', ...shellFiles()], {
    stdio: 'inherit',
  });
  const scripts = await renderScripts();
  const found = scripts.map(checkScript);
  if (found.includes(undefined)) {
    console.error(
      'shellcheck is not installed, so no shell was checked (Debian: apt-get install shellcheck).',
    );
    return process.env['CI'] === undefined ? 0 : 1;
  }
  const all = found.flatMap((each) => each ?? []);
  const isFor = (problem: ShellProblem) => (each: (typeof ON_PURPOSE)[number]) =>
    each.code === problem.code && each.line.test(problem.line);
  const problems = all.filter((problem) => !ON_PURPOSE.some(isFor(problem)));
  const idle = ON_PURPOSE.filter((each) => !all.some((problem) => isFor(problem)(each)));
  for (const { code, line } of idle)
    console.error(`ON_PURPOSE: nothing has SC${String(code)} in a line like ${String(line)} any more`);
  for (const { script, code, message, line } of problems)
    console.error(`${script}: SC${String(code)} ${message}\n    ${line.trim().slice(0, 160)}`);
  console.error(`shellcheck: ${String(scripts.length)} scripts, ${String(problems.length)} problems`);
  return files.status === 0 && problems.length + idle.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
