/** `before_<step>` and `after_<step>` for each step of the flow, and the hooks of a run's end. */
import type { OptionTable } from './optionSpec.ts';

/** Steps that have a hook before and after them, in the order of the run. */
export const HOOK_STEPS = [
  'lock',
  'release',
  'update_code',
  'shared',
  'writable',
  'vendors',
  'clear_paths',
  'symlink',
  'cleanup',
] as const;

export type HookStep = (typeof HOOK_STEPS)[number];

interface HookSpec {
  readonly kind: 'commands';
  readonly group: 'Hooks';
  readonly doc: string;
  readonly example: string;
  readonly since: '0.3.0';
  readonly seed: 'deployer';
}

const PREFIXES =
  'A command starting with `local!` runs here in the clone, once per run; `once!` on the first server only; `on ROLE!` on the servers with that role, `once ROLE!` on the first of them.';

function hook(side: 'before' | 'after', step: HookStep): HookSpec {
  const early = step === 'lock' || (step === 'release' && side === 'before');
  return {
    kind: 'commands',
    group: 'Hooks',
    doc: `Commands run ${side} the step \`${step}\` on every server, in ${early ? '`project_dir`' : 'the new release'}. ${PREFIXES}`,
    example:
      side === 'after' && step === 'symlink'
        ? 'sudo systemctl reload php8.2-fpm'
        : `once! echo ${side} ${step}`,
    since: '0.3.0',
    seed: 'deployer',
  };
}

interface WaveHookSpec extends HookSpec {
  readonly strategy: 'releases';
}

function waveHook(side: 'before' | 'after', example: string): WaveHookSpec {
  return {
    kind: 'commands',
    strategy: 'releases',
    group: 'Hooks',
    doc: `Commands run in the new release on the servers of each wave, ${side === 'before' ? 'before its switch' : 'after its health check'}; \`local!\` once a wave, \`once!\` on its first server. They see \`DURANT_WAVE\` (\`2 of 4\`) and \`DURANT_SERVERS\` (its entries, with blanks between).`,
    example,
    since: '0.3.0',
    seed: 'deployer',
  };
}

type StepHooks = Readonly<Record<`${'before' | 'after'}_${HookStep}`, HookSpec>>;

const STEP_HOOKS: StepHooks = {
  before_lock: hook('before', 'lock'),
  after_lock: hook('after', 'lock'),
  before_release: hook('before', 'release'),
  after_release: hook('after', 'release'),
  before_update_code: hook('before', 'update_code'),
  after_update_code: hook('after', 'update_code'),
  before_shared: hook('before', 'shared'),
  after_shared: hook('after', 'shared'),
  before_writable: hook('before', 'writable'),
  after_writable: hook('after', 'writable'),
  before_vendors: hook('before', 'vendors'),
  after_vendors: hook('after', 'vendors'),
  before_clear_paths: hook('before', 'clear_paths'),
  after_clear_paths: hook('after', 'clear_paths'),
  before_symlink: hook('before', 'symlink'),
  after_symlink: hook('after', 'symlink'),
  before_cleanup: hook('before', 'cleanup'),
  after_cleanup: hook('after', 'cleanup'),
};

export const HOOK_OPTIONS = {
  ...STEP_HOOKS,
  before_wave: waveHook('before', 'local! ./balancer drain $DURANT_SERVERS'),
  after_wave: waveHook('after', 'local! ./balancer enable $DURANT_SERVERS'),
  after_deploy: {
    kind: 'commands',
    group: 'Hooks',
    doc: `Commands run on every server in the release, after success. ${PREFIXES}`,
    example: 'local! ./notify.sh',
    since: '0.3.0',
    seed: 'deployer',
  },
  after_rollback: {
    kind: 'commands',
    group: 'Hooks',
    doc: `Commands run in the release now live, on each server that was switched back, by hand or automatically. ${PREFIXES}`,
    example: 'sudo systemctl reload php8.2-fpm',
    since: '0.3.0',
    seed: 'deployer',
  },
  on_failure: {
    kind: 'commands',
    group: 'Hooks',
    doc: `Commands run in \`project_dir\` on every server that was reached, after a failed run, with \`DURANT_ERROR\` and \`DURANT_FAILED_STEP\`. ${PREFIXES}`,
    example: 'local! ./notify.sh failed',
    since: '0.3.0',
    seed: 'deployer',
  },
} as const satisfies OptionTable;

export const PUBLISHING_OPTIONS = {
  waves: {
    kind: 'list',
    form: 'wave-size',
    strategy: 'releases',
    group: 'Publishing',
    doc: "Switch the servers in successive groups, as Ansible's `serial`: numbers of servers, percentages of all (rounded up), or `rest`; the last repeats. Every server is prepared before the first wave. What fails in a wave switches back every server that was switched; later ones were never touched by it. Without it all are switched at once. A rollback has one wave.",
    example: '1, 25%, rest',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  wave_pause: {
    kind: 'duration',
    zero: true,
    strategy: 'releases',
    group: 'Publishing',
    doc: 'How long to wait after each wave but the last; `0s`: not at all. Every 5 s the health checks of all servers switched so far are asked meanwhile.',
    example: '5m',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  current_path: {
    kind: 'text',
    form: 'current-path',
    default: 'current',
    strategy: 'releases',
    group: 'Publishing',
    doc: 'The link that is switched, relative to `project_dir`.',
    example: 'public/current',
    since: '0.3.0',
    seed: 'deployer',
  },
  health_check: {
    kind: 'commands',
    group: 'Publishing',
    doc: "Commands or URLs, one a line, checked on each server after the switch; with `domain_name` also paths of the site, such as `/up`. With `publish: beside` paths and URLs of the site are asked of the new process before, when no visitor is led to it yet. A URL goes through that server's own connection to its port on 127.0.0.1 there, with the URL's host name (a literal address goes where it says); 200 to 299 passes. A redirect to https of the same host is followed there, others fail and say where they lead; a first certificate is waited for within `health_timeout`, and one that the server's own Caddy signed is trusted. A command runs in the release; with `local!` once from this machine. Failing switches every server back.",
    example: 'https://shop.example.com/up',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  health_timeout: {
    kind: 'duration',
    default: '30s',
    group: 'Publishing',
    doc: 'How long one try of a health check may take.',
    example: '5s',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  health_retries: {
    kind: 'number',
    min: 0,
    max: 1000,
    default: '3',
    group: 'Publishing',
    doc: 'How many more tries a failing health check gets, 2 s apart.',
    example: '10',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  dead_man: {
    kind: 'bool',
    default: 'yes',
    strategy: 'releases',
    group: 'Publishing',
    doc: 'From its switch until its health check has passed everywhere, a run leaves a process of the login user on each server. Where the run dies, and the time that `command_timeout`, `health_timeout` and `health_retries` give it has passed by 30 s, that process puts back what was live before, services included. A step without a limit counts 10 minutes.',
    example: 'no',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  cleanup_use_sudo: {
    kind: 'bool',
    default: 'no',
    group: 'Publishing',
    doc: 'Use sudo to remove old releases that the web server wrote into.',
    example: 'yes',
    since: '0.3.0',
    seed: 'deployer',
  },
} as const satisfies OptionTable;
