/** The `durant` command: this process's words, streams and signals, and its exit status. */
import { text } from 'node:stream/consumers';
import { machineTime } from '../engine/thisMachine.ts';
import { rsyncShellCommand } from '../transfer/rsync/rsyncRelay.ts';
import { holdConnectionCommand } from '../remote/kept/holderRequest.ts';
import { runCommandLine } from './commandLine.ts';
import { rsyncShell } from './rsyncShell.ts';

function main([script, ...argv]: readonly string[]): Promise<number> {
  if (argv[0] === rsyncShellCommand) return rsyncShell(argv.slice(1), process.env);
  if (argv[0] === holdConnectionCommand) return holdConnectionHere();
  return runCommandLine(argv, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    // The file that runs, which the bundle is, so that rsync can start it as its remote shell.
    program: [process.execPath, ...(script === undefined ? [] : [script])],
    time: machineTime,
    signals: process,
    exit: (status) => process.exit(status),
  });
}

async function holdConnectionHere(): Promise<number> {
  const { holdConnection } = await import('../remote/kept/holder.ts');
  await holdConnection(JSON.parse(await text(process.stdin)));
  return 0;
}

// A reader that goes away (`durant releases | head`) is no failure of ours, and a deploy goes on without one.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
  });

void main(process.argv.slice(1)).then((status) => {
  // Nothing that is still open may hold the command back; what was written has to be out first.
  process.exitCode = status;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(status)));
});
