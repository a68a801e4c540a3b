/** Finds out on a server which user its web server runs as. A process can call itself what it likes, so its name alone proves nothing. */
import { shellFile } from '../../remote/shellFile.ts';

const find = shellFile(import.meta.url, './webUser.sh');

/**
 * Sets `$u` to the user of the running web server, else to the first account that is named as web servers' are, and says so on standard
 * output: `web-user USER SERVER`, or `web-user USER` for an account. A process is the web server's where its parent is a process of the
 * same name that is root's alone, or where systemd runs it as the unit of that name. Processes of containers do not count.
 */
export function findWebUser(): string {
  return find;
}

/** What `findWebUser` printed, as a sentence; undefined where it did not run. */
export function webUserFound(stdout: string): string | undefined {
  const [, user, server] = /^web-user (\S+) (\S*)$/m.exec(stdout) ?? [];
  if (user === undefined) return undefined;
  return server === ''
    ? `writable for ${user}: no running web server was found, and the server has an account of this name`
    : `writable for ${user}: ${server} runs as that user`;
}
