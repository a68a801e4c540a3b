/** What a key is worth in a section: its value after inheritance and interpolation, where that comes from, and secrets hidden. */
import type { ConfDocument, ConfOption, ConfSection } from '../config/syntax/document.ts';
import { interpolator, lookUp, partsOf } from '../config/syntax/interpolate.ts';
import { plainSecrets } from '../config/rules/valueKinds.ts';
import { viewOf, type SectionView } from '../config/rules/view.ts';
import { namesSecret } from '../config/secretNames.ts';
import { roleOf, specOf } from './layout.ts';

export type Source =
  { readonly from: 'section' | 'DEFAULT'; readonly option: ConfOption } | { readonly from: 'built-in' };

export interface Effective {
  /** Resolvers as they are written: nothing is run to show a value. `***` for a secret. */
  readonly value: string;
  readonly secret: boolean;
  readonly source: Source;
  /** Whether a `%(name)s` in it is unknown or goes in circles; the value is then as written. */
  readonly broken: boolean;
}

export const MASK = '***';

/** The value of a key as a section sees it; undefined where it has none. */
export function effectiveValue(doc: ConfDocument, section: ConfSection, key: string): Effective | undefined {
  const option = lookUp(doc, section, key);
  if (option === undefined) {
    const fallback = specOf(roleOf(doc, section), key)?.default;
    return fallback === undefined
      ? undefined
      : { value: fallback, secret: false, source: { from: 'built-in' }, broken: false };
  }
  const filled = interpolator(doc, section)(option).value;
  const secret = isSecret(doc, section, option, filled ?? option.raw);
  return {
    value: secret ? MASK : (filled ?? option.raw),
    secret,
    source: { from: section.options.has(key) && section !== doc.defaults ? 'section' : 'DEFAULT', option },
    broken: filled === undefined,
  };
}

const BY_REFERENCE = /^(?:(?:local|once)!\s*)?(?:(?:env|var|secret)!\S+|\$\w+)$/;

/** Whether a value must not be shown: by its name, its look, or what went into it. */
function isSecret(doc: ConfDocument, section: ConfSection, option: ConfOption, value: string): boolean {
  if (BY_REFERENCE.test(value)) return false;
  if (value.includes('-----BEGIN ')) return true;
  const view = viewOf(doc, section, {});
  const parts = [option, ...sourcesOf(doc, section, option)];
  if (
    parts.some(
      (part) => holdsSecret(doc, section, part.key) && !BY_REFERENCE.test(part.raw) && part.raw !== '',
    )
  )
    return true;
  return [value, ...parts.map((part) => part.raw)].some((text) => looksSecret(view, option, text));
}

/** By its name, which an option of Durant's own does not have by chance. */
function holdsSecret(doc: ConfDocument, section: ConfSection, key: string): boolean {
  const spec = specOf(roleOf(doc, section), key);
  return spec === undefined ? namesSecret(key) : spec.secret === true;
}

function looksSecret(view: SectionView, option: ConfOption, text: string): boolean {
  const options = new Map([[option.key, { ...option, raw: text }]]);
  return plainSecrets({ ...view, section: { ...view.section, options } }).length > 0;
}

/** Every option whose value goes into an option's through `%(name)s`. */
function sourcesOf(doc: ConfDocument, section: ConfSection, option: ConfOption): readonly ConfOption[] {
  const found = new Set<ConfOption>();
  const waiting = [option];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const part of next.raw.includes('%(') ? partsOf(next.raw) : []) {
      if (part.kind !== 'reference') continue;
      const source = lookUp(doc, section, part.name);
      if (source === undefined || found.has(source)) continue;
      found.add(source);
      waiting.push(source);
    }
  return [...found];
}
