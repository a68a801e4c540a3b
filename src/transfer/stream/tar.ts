/**
 * A ustar writer for the stream: names and link targets are bytes, long ones go into GNU `L` and `K` records, which GNU tar, bsdtar and
 * busybox all read. Libraries for tar take names as text and would break those that are not UTF-8.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DurantError, throwIfCancelled } from '../../errors.ts';
import { displayPath } from '../tree/manifest.ts';

export type TarMember =
  | { readonly type: 'dir'; readonly name: string; readonly mode: number; readonly mtimeMs: number }
  | {
      readonly type: 'link';
      readonly name: string;
      readonly mode: number;
      readonly mtimeMs: number;
      readonly target: string;
    }
  | {
      readonly type: 'file';
      readonly name: string;
      readonly mode: number;
      readonly mtimeMs: number;
      readonly size: number;
      /** The content itself, or the file that it is read from (byte path). */
      readonly content: Buffer | { readonly file: Buffer };
    };

const block = 512;
/** Bytes of archive handed on at once, about. */
const piece = 256 * 1024;
const nameField = 100;

/**
 * The archive, in pieces; names are latin1 strings. A file is read while its piece is wanted, so memory does not grow with the tree.
 * @throws {DurantError} `verification-failed` where a file's size is no longer what the member says, `cancelled`.
 */
export async function* writeTar(
  members: Iterable<TarMember>,
  options: { readonly signal: AbortSignal; readonly onMember?: (member: TarMember) => void },
): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for (const member of members) {
    options.onMember?.(member);
    const headers = memberHeaders(member);
    parts.push(headers);
    length += headers.length;
    if (member.type === 'file') {
      if (member.size > piece && !Buffer.isBuffer(member.content)) {
        yield Buffer.concat(parts);
        parts = [];
        length = 0;
        yield* readInPieces(member.content.file, member.size, member.name, options.signal);
      } else {
        const content = Buffer.isBuffer(member.content)
          ? member.content
          : readSmall(member.content.file, member.size, member.name);
        parts.push(content);
        length += content.length;
      }
      const padding = Buffer.alloc((block - (member.size % block)) % block);
      parts.push(padding);
      length += padding.length;
    }
    if (length < piece) continue;
    throwIfCancelled(options.signal);
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  yield Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function readSmall(file: Buffer, size: number, name: string): Buffer {
  const content = Buffer.allocUnsafe(size);
  const descriptor = openSync(file, 'r');
  try {
    let filled = 0;
    while (filled < size) {
      const count = readSync(descriptor, content, filled, size - filled, null);
      if (count === 0) throw changedMeanwhile(name);
      filled += count;
    }
    if (readSync(descriptor, Buffer.alloc(1), 0, 1, null) !== 0) throw changedMeanwhile(name);
  } finally {
    closeSync(descriptor);
  }
  return content;
}

async function* readInPieces(
  file: Buffer,
  size: number,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await open(file);
  try {
    let left = size;
    while (left > 0) {
      throwIfCancelled(signal);
      const buffer = Buffer.allocUnsafe(Math.min(piece, left));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) throw changedMeanwhile(name);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    const { bytesRead } = await handle.read(Buffer.alloc(1), 0, 1);
    if (bytesRead !== 0) throw changedMeanwhile(name);
  } finally {
    await handle.close();
  }
}

function changedMeanwhile(name: string): DurantError {
  return new DurantError(
    'verification-failed',
    `“${displayPath(name).path}” changed while it was being sent.`,
    { remedy: 'Make sure that nothing writes into the clone, then deploy again.' },
  );
}

function memberHeaders(member: TarMember): Buffer {
  const name = Buffer.from(member.type === 'dir' ? `${member.name}/` : member.name, 'latin1');
  const target = Buffer.from(member.type === 'link' ? member.target : '', 'latin1');
  const records: Buffer[] = [];
  if (target.length > nameField) records.push(longRecord('K', target));
  if (name.length > nameField) records.push(longRecord('L', name));
  const typeFlag = { file: '0', link: '2', dir: '5' }[member.type];
  const size = member.type === 'file' ? member.size : 0;
  records.push(
    header({ name, target, typeFlag, size, mode: member.mode, mtime: Math.floor(member.mtimeMs / 1000) }),
  );
  return records.length === 1 ? (records[0] ?? Buffer.alloc(0)) : Buffer.concat(records);
}

/** GNU's record for a name or target that does not fit: a member whose content is the name and a NUL. */
function longRecord(typeFlag: 'K' | 'L', value: Buffer): Buffer {
  const size = value.length + 1;
  const content = Buffer.alloc(Math.ceil(size / block) * block);
  value.copy(content);
  const name = Buffer.from('././@LongLink', 'latin1');
  return Buffer.concat([
    header({ name, target: Buffer.alloc(0), typeFlag, size, mode: 0o644, mtime: 0 }),
    content,
  ]);
}

function header(fields: {
  readonly name: Buffer;
  readonly target: Buffer;
  readonly typeFlag: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
}): Buffer {
  const bytes = Buffer.alloc(block);
  fields.name.copy(bytes, 0, 0, nameField);
  writeOctal(bytes, 100, 8, fields.mode);
  writeOctal(bytes, 108, 8, 0);
  writeOctal(bytes, 116, 8, 0);
  writeOctal(bytes, 124, 12, fields.size);
  writeOctal(bytes, 136, 12, Math.max(0, fields.mtime));
  bytes.fill(' ', 148, 156);
  bytes.write(fields.typeFlag, 156, 'latin1');
  fields.target.copy(bytes, 157, 0, nameField);
  // GNU's magic: it is what the L and K records belong to.
  bytes.write('ustar  \0', 257, 'latin1');
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** Octal digits and a NUL; sizes of 8 GiB and more in GNU's base 256. */
function writeOctal(bytes: Buffer, offset: number, width: number, value: number): void {
  const digits = value.toString(8);
  if (digits.length < width) {
    bytes.write(`${digits.padStart(width - 1, '0')}\0`, offset, 'latin1');
    return;
  }
  bytes.writeUInt8(0x80, offset);
  bytes.writeBigUInt64BE(BigInt(value), offset + width - 8);
}
