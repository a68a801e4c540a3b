/** Signatures as SSH writes them (RFC 4253 §6.6, 5656, 8332, 8709): who made one, and how one is made. */
import ssh2 from 'ssh2';
import type { Identity } from '../target.ts';
import { readWire, wireString } from './wire.ts';

// A CommonJS package of which Node sees only some names.
const { utils } = ssh2;

/** Whether the key (in wire format) made the signature of these bytes. Signatures with SHA-1 do not count. */
export function isSignatureOf(key: Buffer, signature: Buffer, signed: Buffer): boolean {
  const parsed = utils.parseKey(key);
  if (parsed instanceof Error) return false;
  const reader = readWire(signature);
  const algorithm = reader.text();
  const value = reader.bytes();
  if (reader.left() > 0) return false;
  if (parsed.type === 'ssh-rsa') {
    const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
    return hash !== undefined && parsed.verify(signed, value, hash) === true;
  }
  if (algorithm !== parsed.type) return false;
  if (algorithm === 'ssh-ed25519') return parsed.verify(signed, value) === true;
  return algorithm.startsWith('ecdsa-sha2-') && parsed.verify(signed, derOf(value)) === true;
}

/**
 * The identity's signature.
 * @param algorithm that the signature is for, as the signed request names it.
 * @returns undefined where the key does not sign so, or declines.
 */
export async function signatureBy(
  identity: Identity,
  data: Buffer,
  algorithm: string,
): Promise<Buffer | undefined> {
  const type = readWire(identity.publicKey).text();
  const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
  if (type === 'ssh-rsa' ? hash === undefined : algorithm !== type) return undefined;
  const value = await identity.sign(data, hash);
  if (value === undefined) return undefined;
  return Buffer.concat([
    wireString(algorithm),
    wireString(type.startsWith('ecdsa-sha2-') ? numbersOf(value) : value),
  ]);
}

/** The two numbers of an ECDSA signature, from SSH's form to DER. */
function derOf(value: Buffer): Buffer {
  const reader = readWire(value);
  const numbers = [reader.bytes(), reader.bytes()].map((number) =>
    Buffer.concat([Buffer.from([0x02, number.length]), number]),
  );
  const body = Buffer.concat(numbers);
  return Buffer.concat([
    Buffer.from(body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length]),
    body,
  ]);
}

/** The same from DER to SSH's form, which begins with the length of the first number and so with a zero; an agent gives it so. */
function numbersOf(value: Buffer): Buffer {
  if (value[0] !== 0x30) return value;
  const start = value[1] === 0x81 ? 3 : 2;
  const first = value.subarray(start + 2, start + 2 + value.readUInt8(start + 1));
  const next = start + 2 + first.length;
  const second = value.subarray(next + 2, next + 2 + value.readUInt8(next + 1));
  return Buffer.concat([wireString(first), wireString(second)]);
}
