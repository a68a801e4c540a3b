/** Whether each value is of its option's kind, and safe. */
import type { Range } from '../syntax/document.ts';
import { itemRange } from '../values/kinds.ts';
import { refusalsOf, type ValueRefusal } from '../values/parseValue.ts';
import { problem, type Problem } from '../syntax/problems.ts';
import type { SettingText } from '../values/stage.ts';
import { partsOf } from '../syntax/interpolate.ts';
import { namesSecret } from '../secretNames.ts';
import { sshPortOf, valueOrKey, written, type SectionView } from './view.ts';

/** Values, own and inherited, that are not of their kind. */
export function wrongValues(view: SectionView): readonly Problem[] {
  const context = { sshPort: sshPortOf(view) };
  return [...view.values.writtenKeys()].flatMap((key) => {
    const found = written(view, key);
    const spec = Object.hasOwn(view.table, key) ? view.table[key] : undefined;
    if (found === undefined || spec === undefined) return [];
    if (found.value === '') {
      // Empty means none where there is no default; required ones are judged as missing.
      if (spec.default === undefined) return [];
      return [
        problem(
          'wrong-value',
          valueOrKey(found.option),
          `"${key}" is empty. Write a value, or remove the line.`,
          { key },
        ),
      ];
    }
    return refusalsOf(spec, found.value, context).map((refusal) =>
      describe(key, found, found.option, refusal),
    );
  });
}

function describe(
  key: string,
  found: SettingText,
  option: NonNullable<SettingText['option']>,
  refusal: ValueRefusal,
): Problem {
  const range =
    refusal.item === undefined ? valueOrKey(option) : itemRange(option, found.value, refusal.item);
  const { suggestion } = refusal;
  return problem(refusal.code, range, `${key}: ${refusal.message}`, {
    key,
    ...(suggestion === undefined ? {} : { suggestion, ...fixFor(found, range, suggestion) }),
  });
}

function fixFor(found: SettingText, range: Range, suggestion: string): object {
  if (partsOf(found.raw).some((part) => part.kind === 'reference')) return {};
  return { fixes: [{ title: `Change to "${suggestion}"`, edits: [{ range, text: suggestion }] }] };
}

/** `socket` and `timer` of a process, which take more than one form. */
export function processValues(view: SectionView): readonly Problem[] {
  if (view.place !== 'process') return [];
  const problems: Problem[] = [];
  const socket = written(view, 'socket');
  if (socket !== undefined && socket.value !== '' && !isSocket(socket.value))
    problems.push(
      problem(
        'wrong-value',
        valueOrKey(socket.option),
        `socket: "${socket.value}" is neither yes, nor a path, nor a port. Write yes, /run/shop.sock or 8000.`,
        { key: 'socket' },
      ),
    );
  const timer = written(view, 'timer');
  if (timer !== undefined && timer.value !== '' && !timer.value.split('\n').every(isTimerLine))
    problems.push(
      problem(
        'wrong-value',
        valueOrKey(timer.option),
        `timer: "${timer.value}" is not a setting of systemd's timers. Write OnCalendar=daily or the like.`,
        { key: 'timer' },
      ),
    );
  return problems;
}

function isTimerLine(line: string): boolean {
  return line === '' || /^[A-Z][A-Za-z]+=\S/.test(line) || RESOLVER.test(line);
}

function isSocket(text: string): boolean {
  if (/^(?:yes|no|true|false|on|off|0|1)$/i.test(text) || RESOLVER.test(text)) return true;
  if (/^(?:\/|%[a-zA-Z]\/|@)\S+$/.test(text)) return true;
  const port = /^(?:[A-Za-z0-9._-]+:|\[[0-9A-Fa-f:.]+\]:)?(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

const RESOLVER = /^(?:env|sh|var|secret)!/;

const KEY_BLOCK = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/;
/** `NAME=value`, `name: value` and the like, where the value is written out. */
const ASSIGNED =
  /(?<!\w)([A-Za-z][\w-]{0,63})["']?\s*[=:]\s*(?!["']?(?:[$%<{]|\*\*|env!|sh!|var!|secret!|-----BEGIN PGP))(?=["']?([^\s"',;&|]{3,}))/g;
/** A scheme is short: from each letter of a long word the rest of it would be read. */
const CREDENTIALS = /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]+:(?![$%{<])[^\s/@]+@/i;

/** Values that look like a secret in plain text. The message never shows them. */
export function plainSecrets(view: SectionView): readonly Problem[] {
  return [...view.section.options.values()].flatMap((option) => {
    const text = option.raw;
    const named =
      (view.place === 'vars' || view.place === 'goal') && holdsSecret(view, option.key) && isPlain(text);
    if (!named && !looksSecret(text)) return [];
    const line = option.lines.find((one) => assignsSecret(one.text) || CREDENTIALS.test(one.text));
    return [
      problem(
        'plain-secret',
        line?.range ?? valueOrKey(option),
        `"${option.key}" looks like a secret in plain text. Store it elsewhere, and write secret!name or env!NAME.`,
        { key: option.key },
      ),
    ];
  });
}

/** Whether the value of a key is a secret by the key's name, which an option of Durant's own does not have by chance. */
function holdsSecret({ table }: SectionView, key: string): boolean {
  return Object.hasOwn(table, key) ? table[key]?.secret === true : namesSecret(key);
}

function looksSecret(text: string): boolean {
  return KEY_BLOCK.test(text) || assignsSecret(text) || CREDENTIALS.test(text);
}

function assignsSecret(text: string): boolean {
  return [...text.matchAll(ASSIGNED)].some(
    ([, name = '', value = '']) => namesSecret(name) && !isPath(value),
  );
}

function isPlain(text: string): boolean {
  const elsewhere = RESOLVER.test(text) || text.startsWith('-----BEGIN PGP') || text.startsWith('$');
  return text !== '' && !elsewhere && !isPath(text);
}

/** Where a secret lies is none. */
function isPath(text: string): boolean {
  return /^(?:~|\.{1,2})?\//.test(text);
}
