/** Hides secrets in text that people or files get to see. Which values are secrets is said by secretNames.ts and by whoever looks one up. */

/** Replaces every secret of a text by `***`, in whatever form it stands there. */
export interface Masker {
  (text: string): string;
  /** Length of the longest text that is hidden, in UTF-16 units; 0 where nothing is. Whoever cuts a text keeps that much together. */
  readonly longest: () => number;
}

export const MASK = '***';
/** A shorter value is no secret worth the name, and hiding it would hide half of the log. */
const SHORTEST = 6;
/** Columns after which `base64` (76, or 64 for PEM) and `xxd -p` (60) begin a new line. */
const BASE64_COLUMNS = [76, 64];
const HEX_COLUMNS = [60];

/**
 * Hides secrets of 6 and more characters: as they are, as JSON, URLs, forms and shells write them, in base64 (also in the middle of
 * something longer) and in hex. One of several lines is hidden line by line, too, since output arrives so.
 */
export function createMasker(secrets: readonly string[]): Masker {
  const { plain, base64 } = secretForms(secrets);
  const longest = (): number => Math.max(plain[0]?.length ?? 0, (base64[0]?.length ?? 0) + BASE64_END.length);
  if (plain.length === 0) return Object.assign((text: string) => text, { longest: () => 0 });
  const pattern = formsPattern({ plain, base64 });
  return Object.assign((text: string) => text.replace(pattern, MASK), { longest });
}

/** The texts that give secrets away, longest first. */
export interface SecretForms {
  readonly plain: readonly string[];
  readonly base64: readonly string[];
}

export function secretForms(secrets: readonly string[]): SecretForms {
  const parts = secrets.flatMap(partsOf);
  return {
    plain: longestFirst(parts.flatMap(formsOf)),
    base64: longestFirst(parts.flatMap((part) => base64Forms(Buffer.from(part)))),
  };
}

/** Finds each of them; there has to be one. */
export function formsPattern({ plain, base64 }: SecretForms): RegExp {
  return new RegExp(`${anyOf(plain)}|${anyOf(base64)}${BASE64_END.pattern}`, 'g');
}

/** The digits that a secret shares with what follows it, and the padding. */
const BASE64_END = { pattern: '[A-Za-z0-9+/_-]{0,2}={0,2}', length: 4 };

function longestFirst(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort((a, b) => b.length - a.length);
}

function anyOf(texts: readonly string[]): string {
  return `(?:${texts.map(literal).join('|')})`;
}

function partsOf(secret: string): readonly string[] {
  const whole = secret.trim();
  const lines = whole.split(/\r\n|\r|\n/).map((line) => line.trim());
  return [whole, ...lines].filter((part) => part.length >= SHORTEST);
}

function formsOf(part: string): readonly string[] {
  return [
    part,
    JSON.stringify(part).slice(1, -1),
    ...urlForms(part),
    ...shellForms(part),
    ...hexForms(Buffer.from(part)),
  ];
}

/** As `encodeURIComponent`, a URL's user or an HTML form writes it, digits in upper and lower case. */
function urlForms(part: string): readonly string[] {
  // A lone surrogate cannot be encoded.
  if (/\p{Surrogate}/u.test(part)) return [];
  const component = encodeURIComponent(part);
  const strict = component.replace(
    /[!'()*~]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const forms = [component, strict, new URLSearchParams({ '': part }).toString().slice(1)];
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()))];
}

/** Inside of '…' as bash and as dash write it, of "…" and of $'…', and with backslashes. */
function shellForms(part: string): readonly string[] {
  return [
    part.replaceAll("'", String.raw`'\''`),
    part.replaceAll("'", `'"'"'`),
    part.replace(/["\\$`]/g, String.raw`\$&`),
    part.replace(/['\\]/g, String.raw`\$&`),
    part.replace(/[^\p{L}\p{N}_@%+=:,./-]/gu, String.raw`\$&`),
  ];
}

/** Three bytes are four digits, so what surrounds a secret decides which of three texts it becomes, but for digits at its ends. */
function base64Forms(bytes: Buffer): readonly string[] {
  const whole = bytes.toString('base64');
  const inside = [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    return digits.slice(Math.ceil((before * 8) / 6), end);
  });
  const forms = [whole, ...inside, ...wrapped(whole, BASE64_COLUMNS)];
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

function hexForms(bytes: Buffer): readonly string[] {
  const digits = bytes.toString('hex');
  const forms = [digits, ...wrapped(digits, HEX_COLUMNS)];
  return [...forms, ...forms.map((form) => form.toUpperCase())];
}

/** The lines that an encoder makes of a long secret. */
function wrapped(digits: string, columns: readonly number[]): readonly string[] {
  return columns
    .filter((width) => digits.length > width)
    .flatMap((width) => digits.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? [])
    .filter((line) => line.length >= SHORTEST);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
