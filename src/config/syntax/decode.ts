/** durant.conf as bytes: UTF-8, with or without a byte order mark. */
import type { ConfDocument } from './document.ts';
import { parseConf } from './parse.ts';
import { problem } from './problems.ts';

/**
 * Parses the bytes of a file; never throws. Bytes that are no UTF-8 text would be other names and values than were written: then the
 * document has that one problem, at the first of them, and no sections.
 */
export function parseConfBytes(bytes: Uint8Array): ConfDocument {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  // UTF-16 without a mark is valid UTF-8, with a NUL beside every character.
  if (isUtf8(bytes) && !text.includes('\0')) return parseConf(text);
  const at = Math.max(0, text.search(/[\ufffd\0]/));
  const { lineStarts } = parseConf(text);
  return {
    ...parseConf(''),
    text,
    lineStarts,
    problems: [
      problem(
        'not-utf8',
        { start: at, end: at + 1 },
        `The file is not UTF-8 text${encodingOf(bytes)}. Save it as UTF-8.`,
      ),
    ],
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function encodingOf(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  const isUtf16 =
    (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0);
  return isUtf16 ? ', it seems to be UTF-16' : '';
}
