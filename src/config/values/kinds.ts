/** Values by their kind: booleans, numbers, durations, lists, commands. Undefined where the text is not of the kind. */
import { lineOfRaw, type ConfOption, type Range } from '../syntax/document.ts';
import { strip } from '../syntax/whitespace.ts';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['true', true],
  ['on', true],
  ['1', true],
  ['no', false],
  ['false', false],
  ['off', false],
  ['0', false],
]);

/** yes/no, true/false, on/off, 1/0, in any case. */
export function parseBool(text: string): boolean | undefined {
  return BOOLEANS.get(text.toLowerCase());
}

/** A whole number. */
export function parseWhole(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `30`, `30s`, `5m` or `1h`, in milliseconds; not above 1000 hours. @param zero whether it may be none at all, `0s`. */
export function parseDuration(text: string, zero = false): number | undefined {
  const match = /^(\d{1,9})([smh])?$/.exec(text);
  if (match === null) return undefined;
  const [, digits, letter] = match;
  const unit = letter === 'm' ? UNITS.m : letter === 'h' ? UNITS.h : UNITS.s;
  const ms = Number(digits) * unit;
  return (ms > 0 || zero) && ms <= 1000 * UNITS.h ? ms : undefined;
}

/** `900000` as `15m`: the shortest way to write a duration. */
export function formatDuration(ms: number): string {
  if (ms % UNITS.h === 0) return `${String(ms / UNITS.h)}h`;
  if (ms % UNITS.m === 0) return `${String(ms / UNITS.m)}m`;
  return `${String(ms / UNITS.s)}s`;
}

/** An item of a list with its offsets in the value it came from. */
export interface Item {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const PGP =
  /^(?:(?:(?:local|once)!|(?:on|once)\s+[^\s!]+\s*!)\s*)?(?:[A-Za-z_]\w*\s*=\s*)?-----BEGIN PGP MESSAGE-----/;
const PGP_END = '-----END PGP MESSAGE-----';

/** One item a line; blank ones dropped; a PGP message is one item. */
export function splitLines(value: string): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  let message: { start: number } | undefined;
  for (const line of value.split('\n')) {
    const text = strip(line);
    const start = at + line.indexOf(text);
    const end = start + text.length;
    at += line.length + 1;
    if (message !== undefined) {
      if (text !== PGP_END && at <= value.length) continue;
      items.push({ text: value.slice(message.start, end), start: message.start, end });
      message = undefined;
    } else if (PGP.test(text) && value.includes('\n', start)) message = { start };
    else if (text !== '') items.push({ text, start, end });
  }
  return items;
}

/** A `list`: where the value holds a newline one item a line, else split at commas; trimmed, empties dropped. */
export function splitList(value: string): readonly Item[] {
  return value.includes('\n') ? splitLines(value) : itemsOfPieces(value.split(','));
}

/** As `splitList`, for servers: a comma between the roles of one ends no item. */
export function splitServers(value: string): readonly Item[] {
  if (value.includes('\n')) return splitLines(value);
  const pieces: string[] = [];
  let within: string[] = [];
  for (const part of value.split(',')) {
    const [opens, closes] = [part.lastIndexOf('['), part.lastIndexOf(']')];
    const isOpen = opens === closes ? within.length > 0 : opens > closes;
    within.push(part);
    if (isOpen) continue;
    pieces.push(within.join(','));
    within = [];
  }
  // Brackets that nobody closes hold nothing together.
  return itemsOfPieces([...pieces, ...within]);
}

/** Items by the pieces of a value between its commas. */
function itemsOfPieces(pieces: readonly string[]): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  for (const piece of pieces) {
    const text = strip(piece);
    const start = at + piece.indexOf(text);
    at += piece.length + 1;
    if (text !== '') items.push({ text, start, end: start + text.length });
  }
  return items;
}

/** Where an item of an option's interpolated value stands in the text; the whole value where interpolation moved it. */
export function itemRange(option: ConfOption, value: string, item: Item): Range {
  if (value === option.raw) {
    const line = lineOf(option, item);
    if (line !== undefined) return line;
  }
  const written = option.lines.find((line) => line.text === item.text);
  return written?.range ?? option.valueRange;
}

function lineOf(option: ConfOption, item: Item): Range | undefined {
  const line = lineOfRaw(option, item.start);
  if (line === undefined || item.end > line.at + line.text.length) return undefined;
  const start = line.range.start + (item.start - line.at);
  return { start, end: start + (item.end - item.start) };
}
