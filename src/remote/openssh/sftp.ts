/**
 * The one thing that SFTP is needed for: a rename over an existing path in one step, by OpenSSH's extension
 * `posix-rename@openssh.com` (PROTOCOL of openssh-portable, 4.3; draft-ietf-secsh-filexfer-02).
 */
import { DurantError } from '../../errors.ts';
import type { ScriptChannel } from '../scriptRun.ts';

const packet = { init: 1, version: 2, status: 101, extended: 200 } as const;
const extension = 'posix-rename@openssh.com';
/** A server that refuses a subsystem and leaves the channel open would never be heard of again. */
const answerMs = 15_000;
/** Far more than a server's list of extensions. */
const longestPacket = 256 * 1024;

/**
 * Renames through an open SFTP channel and closes it. Paths are absolute or relative to the login user's home.
 * @throws {DurantError} `switch-unsupported` where the server does not offer it; `remote-command-failed` where it refuses.
 */
export async function renameOverSftp(
  channel: ScriptChannel,
  server: string,
  from: string,
  to: string,
): Promise<void> {
  const unsupported = () =>
    new DurantError('switch-unsupported', `${server} offers no atomic rename over SFTP.`, {
      remedy: 'Give it a mv with -T or -h.',
      server,
    });
  const packets = readPackets(channel);
  channel.stderr.resume();
  const timer = setTimeout(() => channel.close(), answerMs);
  try {
    channel.stdin.write(frame(packet.init, Buffer.from([0, 0, 0, 3])));
    const version = await packets.next();
    if (version.value === undefined || version.value[0] !== packet.version) throw unsupported();
    if (!version.value.includes(extension)) throw unsupported();
    const words = [extension, from, to].map((word) => sized(Buffer.from(word, 'utf8')));
    channel.stdin.write(frame(packet.extended, Buffer.concat([Buffer.from([0, 0, 0, 1]), ...words])));
    const answer = await packets.next();
    if (answer.value === undefined || answer.value[0] !== packet.status || answer.value.length < 9)
      throw unsupported();
    if (answer.value.readUInt32BE(5) !== 0) {
      const said = answer.value.length >= 13 ? text(answer.value, 9) : 'no reason given';
      throw new DurantError(
        'remote-command-failed',
        `${server} could not rename ${from} to ${to} (${said}).`,
        { remedy: 'Check the permissions of its folder.', server },
      );
    }
  } catch (error) {
    throw error instanceof DurantError ? error : unsupported();
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}

function frame(type: number, body: Buffer): Buffer {
  return sized(Buffer.concat([Buffer.from([type]), body]));
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function text(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32BE(at));
}

/** Packets without their length; ends with the channel. */
async function* readPackets(channel: ScriptChannel): AsyncGenerator<Buffer, undefined> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of channel.stdout) {
    held = Buffer.concat([held, Buffer.from(chunk)]);
    for (;;) {
      if (held.length < 4) break;
      const length = held.readUInt32BE(0);
      // Text of a start-up file, not SFTP.
      if (length > longestPacket || length === 0) return undefined;
      if (held.length < 4 + length) break;
      yield held.subarray(4, 4 + length);
      held = held.subarray(4 + length);
    }
  }
  return undefined;
}
