/** What commands print, as lines: in time that grows with the output alone, in bounded memory, and with no secret cut in two. */
import { StringDecoder } from 'node:string_decoder';
import type { Masker } from '../../config/values/mask.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface OutputLines {
  readonly write: (stream: OutputStream, chunk: Buffer) => void;
  /** Gives out what no line end followed. */
  readonly end: () => void;
}

/** A line that has become longer than this is given out in pieces, in UTF-16 units. */
const PIECE = 65_536;

/**
 * Calls `emit` with each line, without its end. A line of more than about 64 KiB comes in pieces, masked where it was cut; `lineEnd` is
 * what followed, '' where more of the line follows, or nothing at all.
 */
export function outputLines(
  mask: Masker,
  emit: (stream: OutputStream, line: string, lineEnd: string) => void,
): OutputLines {
  const streams = { stdout: newStream(), stderr: newStream() };
  return {
    write(name, chunk) {
      const stream = streams[name];
      const text = stream.decoder.write(chunk);
      let start = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', start)) {
        const line = stream.rest + text.slice(start, at);
        stream.rest = '';
        start = at + 1;
        if (line.endsWith('\r')) emit(name, line.slice(0, -1), '\r\n');
        else emit(name, line, '\n');
      }
      stream.rest += text.slice(start);
      if (stream.rest.length < Math.max(PIECE, 4 * mask.longest())) return;
      const { piece, rest } = cut(mask(stream.rest), mask.longest());
      stream.rest = rest;
      emit(name, piece, '');
    },
    end() {
      for (const name of ['stdout', 'stderr'] as const) {
        const { rest, decoder } = streams[name];
        streams[name].rest = '';
        const last = rest + decoder.end();
        if (last !== '') emit(name, last, '');
      }
    },
  };
}

function newStream(): { readonly decoder: StringDecoder; rest: string } {
  return { decoder: new StringDecoder('utf8'), rest: '' };
}

/** Keeps as much back as may be the start of a secret. */
function cut(text: string, longest: number): { readonly piece: string; readonly rest: string } {
  const wanted = text.length - longest;
  const inPair = /^[\udc00-\udfff]/.test(text.slice(wanted, wanted + 1));
  const at = inPair ? wanted - 1 : wanted;
  return { piece: text.slice(0, at), rest: text.slice(at) };
}
