/** Hides secrets in output that arrives in pieces and is shown at once, as on a terminal: one that comes in two pieces is found, too. */
import { formsPattern, MASK, secretForms } from './mask.ts';

export interface MaskStream {
  /** Takes a piece and gives what can be shown of it: the start of what may become a secret is held back. */
  write(chunk: Buffer): Buffer;
  /** Nothing came for a moment: gives up to three bytes that were held back, so that a question is seen whole. */
  idle(): Buffer;
  /** Gives the rest. */
  end(): Buffer;
}

/** As many bytes of a secret may be shown while the rest of it is waited for. */
const HARMLESS = 3;

/** The secrets and forms of `createMasker`. What is not one passes byte for byte. */
export function createMaskStream(secrets: readonly string[]): MaskStream {
  const { plain, base64 } = secretForms(secrets);
  // Bytes as latin1 characters, so that any output can be searched.
  const forms = { plain: plain.map(asBytes), base64: base64.map(asBytes) };
  const all = [...forms.plain, ...forms.base64];
  if (all.length === 0)
    return { write: (chunk) => chunk, idle: () => Buffer.alloc(0), end: () => Buffer.alloc(0) };
  const pattern = formsPattern(forms);
  const longest = Math.max(...all.map(({ length }) => length));
  const firsts = new Set(all.map((form) => form.charAt(0)));
  /** What was held back and may still be shown, after what of the same start has been shown already. */
  let shown = '';
  let held = '';

  /** Where the end of a text that may be the start of a secret begins. */
  const startOfTail = (text: string): number => {
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
      if (!firsts.has(text.charAt(at))) continue;
      const tail = text.slice(at);
      if (all.some((form) => form.length > tail.length && form.startsWith(tail))) return at;
    }
    return text.length;
  };

  /** Masks from `from` on what begins before `tail`; `done`: as far as it has come. */
  const masked = (
    text: string,
    from: number,
    tail: number,
  ): { readonly out: string; readonly done: number } => {
    let out = '';
    let done = from;
    for (const { index, 0: found } of text.matchAll(pattern)) {
      const end = index + found.length;
      if (index >= tail || end <= done) continue;
      out += text.slice(done, Math.max(done, index)) + MASK;
      done = end;
    }
    return { out, done };
  };

  const take = (chunk: string): string => {
    const text = shown + held + chunk;
    // What begins in the tail may be the start of something longer.
    const tail = startOfTail(text);
    const { out, done } = masked(text, shown.length, tail);
    if (done === shown.length && tail < done) {
      shown = text.slice(tail, done);
      held = text.slice(done);
      return out;
    }
    const rest = text.slice(done);
    const at = startOfTail(rest);
    shown = '';
    held = rest.slice(at);
    return out + rest.slice(0, at);
  };

  return {
    write: (chunk) => Buffer.from(take(chunk.toString('latin1')), 'latin1'),
    idle() {
      const more = shown.length + held.length <= HARMLESS ? held : '';
      shown += more;
      held = held.slice(more.length);
      return Buffer.from(more, 'latin1');
    },
    end() {
      const text = shown + held;
      const { out, done } = masked(text, shown.length, text.length);
      shown = held = '';
      return Buffer.from(out + text.slice(done), 'latin1');
    },
  };
}

function asBytes(form: string): string {
  return Buffer.from(form, 'utf8').toString('latin1');
}
