/** `%(name)s`: CPython's BasicInterpolation, except that a lone `%` is a plain percent sign. */
import type { ConfDocument, ConfOption, ConfSection } from './document.ts';

/** How deep references may nest, as in CPython. */
const MAX_DEPTH = 10;
/** Longest value that references may make; a few lines could otherwise ask for more memory than there is. */
const MAX_LENGTH = 1 << 20;

/** Why a value could not be filled in. */
export interface InterpolationFailure {
  readonly kind: 'unknown' | 'cycle' | 'depth' | 'size';
  /** The name that is unknown, or where the circle closes. */
  readonly name: string;
  /** The option whose text holds the reference that fails. */
  readonly option: ConfOption;
  /** Place of that reference in the option's `raw`. */
  readonly start: number;
  readonly end: number;
}

export type Interpolated =
  | { readonly value: string; readonly failure?: undefined }
  | { readonly value: undefined; readonly failure: InterpolationFailure };

/** Fills in values of one section; results are kept, so that each key is worked out once. */
export interface Interpolator {
  (option: ConfOption): Interpolated;
}

/** The options that a section sees: its own, then those of DEFAULT. */
export function lookUp(
  doc: Pick<ConfDocument, 'defaults'>,
  section: ConfSection,
  key: string,
): ConfOption | undefined {
  return section.options.get(key) ?? doc.defaults.options.get(key);
}

type Outcome =
  | { readonly value: string; readonly height: number; readonly failure?: undefined }
  | { readonly failure: InterpolationFailure; readonly depthAtFailure: number };

/** An interpolator for values as `section` sees them. */
export function interpolator(doc: Pick<ConfDocument, 'defaults'>, section: ConfSection): Interpolator {
  const known = new Map<ConfOption, Outcome>();
  const open = new Set<ConfOption>();

  const work = (option: ConfOption, depth: number): Outcome => {
    const before = known.get(option);
    // A failure for want of depth is one only from that depth on.
    if (before !== undefined) {
      if (before.failure === undefined) {
        if (depth + before.height - 1 <= MAX_DEPTH) return before;
      } else if (before.failure.kind !== 'depth' || depth >= before.depthAtFailure) return before;
    }
    open.add(option);
    const outcome = fill(option, depth);
    open.delete(option);
    known.set(option, outcome);
    return outcome;
  };

  const fill = (option: ConfOption, depth: number): Outcome => {
    let value = '';
    let height = 1;
    for (const part of partsOf(option.raw)) {
      if (part.kind !== 'reference') {
        value += part.text;
        continue;
      }
      const fail = (kind: InterpolationFailure['kind']): Outcome => ({
        failure: { kind, name: part.name, option, start: part.start, end: part.end },
        depthAtFailure: depth,
      });
      const target = lookUp(doc, section, part.name);
      if (target === undefined) return fail('unknown');
      if (!target.raw.includes('%')) value += target.raw;
      else {
        if (open.has(target)) return fail('cycle');
        if (depth >= MAX_DEPTH) return fail('depth');
        const inner = work(target, depth + 1);
        if (inner.failure !== undefined) return { failure: inner.failure, depthAtFailure: depth };
        height = Math.max(height, inner.height + 1);
        value += inner.value;
      }
      if (value.length > MAX_LENGTH) return fail('size');
    }
    return { value, height };
  };

  return (option) => {
    if (!option.raw.includes('%')) return { value: option.raw };
    const outcome = work(option, 1);
    return outcome.failure === undefined
      ? { value: outcome.value }
      : { value: undefined, failure: outcome.failure };
  };
}

/** A piece of a raw value. Offsets are into that value. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly start: number; readonly end: number }
  | { readonly kind: 'percent'; readonly text: '%'; readonly start: number; readonly end: number }
  | { readonly kind: 'lone-percent'; readonly text: '%'; readonly start: number; readonly end: number }
  | { readonly kind: 'reference'; readonly name: string; readonly start: number; readonly end: number };

const REFERENCE = /%\(([^)]{1,1000})\)s/y;

/** Splits a raw value at `%%`, `%(name)s` and lone `%`; names are lower-cased as keys are. */
export function partsOf(raw: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < raw.length) {
    const percent = raw.indexOf('%', at);
    const stop = percent < 0 ? raw.length : percent;
    if (stop > at) parts.push({ kind: 'text', text: raw.slice(at, stop), start: at, end: stop });
    if (percent < 0) break;
    at = percent;
    REFERENCE.lastIndex = at;
    const name = raw[at + 1] === '(' ? REFERENCE.exec(raw)?.[1] : undefined;
    if (name !== undefined) {
      parts.push({ kind: 'reference', name: name.toLowerCase(), start: at, end: at + name.length + 4 });
      at += name.length + 4;
    } else if (raw[at + 1] === '%') {
      parts.push({ kind: 'percent', text: '%', start: at, end: at + 2 });
      at += 2;
    } else {
      parts.push({ kind: 'lone-percent', text: '%', start: at, end: at + 1 });
      at += 1;
    }
  }
  return parts;
}
