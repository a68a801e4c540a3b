/**
 * The one parser of durant.conf. Grammar: CPython's `configparser.ConfigParser()._read`, line by line, except that problems are data
 * and that it keeps going after each.
 */
import type { ConfDocument, ConfOption, ConfSection, Range, SectionHeader, ValueLine } from './document.ts';
import { interpolationProblems } from './interpolationProblems.ts';
import { problem, type Problem } from './problems.ts';
import { isSpace, skipSpace, trimEnd } from './whitespace.ts';

/** The section whose keys every other section inherits. */
export const DEFAULT_SECTION = 'DEFAULT';

const HASH = 0x23;
const SEMICOLON = 0x3b;
const BRACKET = 0x5b;
const LF = 0x0a;
const CR = 0x0d;
const BOM = 0xfeff;

interface OpenOption extends Omit<ConfOption, 'raw' | 'valueRange' | 'range' | 'lines'> {
  readonly lines: Omit<ValueLine, 'at'>[];
}

interface OpenSection {
  readonly name: string;
  readonly headers: SectionHeader[];
  readonly options: Map<string, ConfOption>;
  readonly seen: Map<string, OpenOption>;
}

/** The lines of a text, read with universal line ends: `\n`, `\r\n` and `\r`. */
function lineStartsOf(text: string): number[] {
  const starts = [text.charCodeAt(0) === BOM ? 1 : 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === LF) starts.push(at + 1);
    else if (code === CR && text.charCodeAt(at + 1) !== LF) starts.push(at + 1);
  }
  return starts;
}

/** Parses any text; never throws. What is wrong with it is in `problems`. */
export function parseConf(text: string): ConfDocument {
  const lineStarts = lineStartsOf(text);
  const problems: Problem[] = [];
  const comments: Range[] = [];
  const options: ConfOption[] = [];
  const defaults = openSection(DEFAULT_SECTION);
  const sections = new Map<string, OpenSection>();

  let section: OpenSection | undefined;
  // What continuation lines go to: an option, or nothing after a line that made no sense.
  let current: OpenOption | 'ignored' | undefined;
  let indent = 0;
  let textBeforeSection = false;

  const finish = (): void => {
    if (current === undefined || current === 'ignored') return;
    const option = closeOption(current);
    options.push(option);
    if (!option.repeated) section?.options.set(option.key, option);
  };

  const header = (at: number, start: number, close: number, end: number, line: number): void => {
    const name = text.slice(start + 1, close);
    const known = name === DEFAULT_SECTION ? defaults : sections.get(name);
    const range = { start, end: close + 1 };
    if (known !== undefined && known !== defaults)
      problems.push(
        problem(
          'duplicate-section',
          range,
          `The section [${name}] is written twice; both are read as one. Move these keys to the first one.`,
          {
            related: known.headers
              .slice(0, 1)
              .map((first) => ({ range: first.range, message: 'The first one.' })),
          },
        ),
      );
    if (close + 1 < end)
      problems.push(
        problem(
          'text-after-section',
          { start: skipSpace(text, close + 1, end), end },
          'Text after the ] of a section is ignored. Remove it, or put it on a line of its own.',
          {
            fixes: [
              { title: 'Remove the ignored text', edits: [{ range: { start: close + 1, end }, text: '' }] },
            ],
          },
        ),
      );
    section = known ?? openSection(name);
    if (known === undefined) sections.set(name, section);
    section.headers.push({ range, nameRange: { start: start + 1, end: close }, line });
    indent = start - at;
    current = undefined;
  };

  const option = (start: number, delimiter: number, end: number, line: number): void => {
    if (section === undefined) return;
    const keyEnd = trimEnd(text, start, delimiter);
    const key = text.slice(start, keyEnd).toLowerCase();
    const keyRange = { start, end: keyEnd };
    const valueStart = skipSpace(text, delimiter + 1, end);
    if (key === '') {
      problems.push(
        problem(
          'empty-key',
          { start, end },
          'There is no key before the delimiter. Write the key, or indent the line to continue the value above.',
        ),
      );
      // Python: an empty key takes no continuation lines.
      current = undefined;
      return;
    }
    const first = section.seen.get(key);
    if (first !== undefined)
      problems.push(
        problem(
          'duplicate-key',
          keyRange,
          `"${key}" is written twice in [${section.name}]; the first counts. Remove one of the two.`,
          { key, related: [{ range: first.keyRange, message: 'The one that counts.' }] },
        ),
      );
    if (text.charCodeAt(start) === BRACKET)
      problems.push(
        problem(
          'section-like-key',
          keyRange,
          `"${key}" is read as a key, because the line has a delimiter and no section name. Close the name with ], or rename the key.`,
        ),
      );
    current = {
      key,
      keyRange,
      delimiter,
      lines: [{ text: text.slice(valueStart, end), range: { start: valueStart, end } }],
      section: section.name,
      line,
      repeated: first !== undefined,
    };
    if (first === undefined) section.seen.set(key, current);
  };

  for (const [index, at] of lineStarts.entries()) {
    const lineEnd = endOfLine(text, at, lineStarts[index + 1]);
    const start = skipSpace(text, at, lineEnd);
    const end = trimEnd(text, start, lineEnd);
    if (start === end) {
      if (current !== undefined && current !== 'ignored' && index < lineStarts.length - 1)
        current.lines.push({ text: '', range: { start, end: start } });
      continue;
    }
    const first = text.charCodeAt(start);
    if (first === HASH || first === SEMICOLON) {
      comments.push({ start, end });
      continue;
    }
    if (current !== undefined && start - at > indent) {
      if (current !== 'ignored') current.lines.push({ text: text.slice(start, end), range: { start, end } });
      continue;
    }
    finish();
    indent = start - at;
    const close = first === BRACKET ? findClosing(text, start, end) : -1;
    if (close > start + 1) {
      header(at, start, close, end, index + 1);
      continue;
    }
    current = undefined;
    if (section === undefined) {
      // A first section that is not closed is what is wrong, not what comes below it.
      if (first === BRACKET && findDelimiter(text, start, end) < 0) problems.push(nonsense(text, start, end));
      else if (!textBeforeSection) problems.push(beforeSection(text, at, start, end));
      textBeforeSection = true;
      continue;
    }
    const delimiter = findDelimiter(text, start, end);
    if (delimiter >= 0) {
      option(start, delimiter, end, index + 1);
      continue;
    }
    problems.push(nonsense(text, start, end));
    current = 'ignored';
  }
  finish();

  const doc = {
    text,
    lineStarts,
    defaults: closeSection(defaults),
    sections: closeSections(sections),
    options,
    comments,
  };
  const all = [...problems, ...interpolationProblems(doc)];
  all.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  return { ...doc, problems: all };
}

function endOfLine(text: string, start: number, next: number | undefined): number {
  if (next === undefined) return text.length;
  let end = next;
  if (end > start && text.charCodeAt(end - 1) === LF) end -= 1;
  if (end > start && text.charCodeAt(end - 1) === CR) end -= 1;
  return end;
}

function findDelimiter(text: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3d || code === 0x3a) return at;
  }
  return -1;
}

/** The last `]` of the line: Python's pattern is greedy. */
function findClosing(text: string, start: number, end: number): number {
  for (let at = end - 1; at > start; at -= 1) if (text.charCodeAt(at) === 0x5d) return at;
  return -1;
}

function openSection(name: string): OpenSection {
  return { name, headers: [], options: new Map(), seen: new Map() };
}

function closeSection(section: OpenSection): ConfSection {
  return { name: section.name, headers: section.headers, options: section.options };
}

function closeSections(sections: ReadonlyMap<string, OpenSection>): ReadonlyMap<string, ConfSection> {
  return new Map([...sections].map(([name, section]) => [name, closeSection(section)]));
}

/** Python: the lines joined by `\n`, then trailing white space dropped. */
function closeOption(open: OpenOption): ConfOption {
  const kept = [...open.lines];
  while (kept.length > 1 && kept.at(-1)?.text === '') kept.pop();
  let before = 0;
  const lines = kept.map((line): ValueLine => {
    const at = before;
    before += line.text.length + 1;
    return { text: line.text, range: line.range, at };
  });
  const first = lines.find((line) => line.text !== '') ?? lines[0];
  const last = lines.at(-1) ?? first;
  const start = first?.range.start ?? open.delimiter + 1;
  const end = last?.text === '' ? start : (last?.range.end ?? start);
  return {
    ...open,
    lines,
    raw: lines.map((line) => line.text).join('\n'),
    valueRange: { start, end },
    range: { start: open.keyRange.start, end: Math.max(end, open.delimiter + 1) },
  };
}

function beforeSection(text: string, at: number, start: number, end: number): Problem {
  return problem(
    'no-section',
    { start, end },
    'Text before the first section belongs to nothing. Write a section header such as [production] above it.',
    {
      fixes: ['production', DEFAULT_SECTION].map((name) => ({
        title: `Insert [${name}] above`,
        edits: [{ range: { start: at, end: at }, text: `[${name}]${text.includes('\r\n') ? '\r\n' : '\n'}` }],
      })),
    },
  );
}

function nonsense(text: string, start: number, end: number): Problem {
  if (text.charCodeAt(start) !== BRACKET)
    return problem(
      'no-delimiter',
      { start, end },
      'This line has no = or :. Write key = value, or indent the line deeper than its key to continue the value above.',
    );
  if (text.slice(start, start + 2) === '[]' || onlySpaceBetween(text, start + 1, end))
    return problem(
      'empty-section',
      { start, end },
      'This section has no name. Write one between the brackets.',
    );
  return problem('unclosed-section', { start, end }, 'This section name is not closed. Write ] after it.', {
    fixes: [{ title: 'Close the section name', edits: [{ range: { start: end, end }, text: ']' }] }],
  });
}

function onlySpaceBetween(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!isSpace(text.charCodeAt(at))) return false;
  return true;
}
