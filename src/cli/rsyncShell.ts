/**
 * The hidden subcommand that rsync runs as its remote shell: joins its standard streams to the connection of the run that started rsync,
 * through a private socket. Where the socket is, and what to say there, is in the environment.
 */
import { connect } from 'node:net';
import { doorVariables, type RsyncGreeting } from '../transfer/rsync/rsyncRelay.ts';

/** Resolves with the exit status: 0 where the server's rsync was reached and has ended, 255 as ssh's own otherwise. */
export function rsyncShell(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [path, token] = [env[doorVariables.socket], env[doorVariables.token]];
  if (path === undefined || token === undefined) {
    process.stderr.write('This command is only for rsync as Durant starts it.\n');
    return Promise.resolve(255);
  }
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    const greeting: RsyncGreeting = { token, argv };
    socket.once('error', (error) => {
      process.stderr.write(`The connection of the run is gone: ${error.message}\n`);
      resolve(255);
    });
    socket.write(`${JSON.stringify(greeting)}\n`);
    process.stdin.pipe(socket);
    socket.pipe(process.stdout, { end: false });
    socket.once('end', () => process.stdout.write('', () => resolve(0)));
  });
}
