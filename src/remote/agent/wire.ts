/** The encoding of SSH's messages (RFC 4251 §5), as far as an agent needs it. Pure. */

/** Reads the parts of a message in order. Each method throws a `RangeError` where the message is too short for what it reads. */
export interface WireReader {
  byte(): number;
  uint32(): number;
  /** A string as bytes. */
  bytes(): Buffer;
  /** A string as text. */
  text(): string;
  /** How many bytes are left. */
  left(): number;
}

export function readWire(message: Buffer): WireReader {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new RangeError('The message is too short.');
    at += length;
    return message.subarray(at - length, at);
  };
  const uint32 = (): number => take(4).readUInt32BE();
  const bytes = (): Buffer => take(uint32());
  return {
    byte: () => take(1).readUInt8(),
    uint32,
    bytes,
    text: () => bytes().toString('latin1'),
    left: () => message.length - at,
  };
}

/** A string, with its length in front. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
