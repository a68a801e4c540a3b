/** One two-way stream from the two of an `ssh -W`. */
import { Duplex } from 'node:stream';
import type { ScriptChannel } from '../scriptRun.ts';

/** Ends when the other side does; destroying it lets go of the channel. A lost connection destroys it with that error. */
export function joinStreams(channel: ScriptChannel): Duplex {
  const { stdin, stdout, stderr } = channel;
  const duplex = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, done),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      channel.close();
      done(error);
    },
  });
  stderr.resume();
  stdout.on('data', (chunk: Buffer) => {
    if (!duplex.push(chunk)) stdout.pause();
  });
  stdout.once('end', () => duplex.push(null));
  channel.ended.catch((error: unknown) => {
    if (!duplex.readableEnded) duplex.destroy(error instanceof Error ? error : undefined);
  });
  return duplex;
}
