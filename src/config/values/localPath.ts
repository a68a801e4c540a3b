/** Paths of this machine as durant.conf writes them. */

/** `~`, `~/…`, `$VAR` and `${VAR}` expanded from an environment; a variable that is not set stays as written. */
export function expandLocalPath(path: string, env: Readonly<Record<string, string | undefined>>): string {
  const home = env['HOME'] ?? env['USERPROFILE'];
  const rooted = home !== undefined && (path === '~' || path.startsWith('~/')) ? home + path.slice(1) : path;
  return rooted.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (whole, braced: string | undefined, plain: string | undefined) => env[braced ?? plain ?? ''] ?? whole,
  );
}
