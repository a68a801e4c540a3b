/** The environment that git's processes see: the caller's, less everything that names another repository or may ask. */

/**
 * Variables of git that belong to the user rather than to a repository. All others are dropped: a hook or an alias that
 * starts Durant sets GIT_DIR, GIT_INDEX_FILE and the like for a repository of its own (`git rev-parse --local-env-vars`).
 */
const USERS_OWN =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|CONFIG_COUNT|CONFIG_KEY_\d+|CONFIG_VALUE_\d+|SSL_\w+|HTTP_\w+|PROXY_\w+|EXEC_PATH)$/;

/** What would start an editor or a pager, and `PREFIX`, where git looks for its system configuration. */
const NEVER = new Set(['EDITOR', 'VISUAL', 'PAGER', 'PREFIX']);

/** The variables for git, with its messages in English, since some of them are read. */
export function gitEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => {
    const upper = name.toUpperCase();
    return upper.startsWith('GIT_') ? USERS_OWN.test(upper) : !NEVER.has(upper);
  });
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    LANGUAGE: '',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** `env` with configuration added that must not be seen on a command line. It counts more than what is there already. */
export function withHiddenConfig(
  env: Readonly<Record<string, string>>,
  config: readonly (readonly [key: string, value: string])[],
): Record<string, string> {
  const first = Number.parseInt(env['GIT_CONFIG_COUNT'] ?? '0', 10) || 0;
  const added = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, key] as const,
    [`GIT_CONFIG_VALUE_${first + index}`, value] as const,
  ]);
  return { ...env, ...Object.fromEntries(added), GIT_CONFIG_COUNT: String(first + config.length) };
}
