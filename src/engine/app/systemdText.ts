/** The only place where values are escaped for unit files (systemd.syntax(7), systemd.unit(5) "Specifiers"). Pure. */

/** A value that systemd takes whole, like a path: only specifiers have to be kept from it. */
export function plainValue(text: string): string {
  return text.replaceAll('%', '%%').replaceAll(/[\r\n]+/g, ' ');
}

/** `ExecStart=` of a command line for sh: `$` and `%` mean what they mean to the shell, not to systemd. */
export function shellCommand(command: string): string {
  const line = `exec ${command.trim()}`.replaceAll(/\s*\n\s*/g, ' ');
  const escaped = line
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `/bin/sh -c '${escaped}'`;
}
