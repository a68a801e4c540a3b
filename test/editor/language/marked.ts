/** Fixtures: a text with `|` where the cursor is. */
import type { ConfDocument, Range } from '../../../src/config/syntax/document.ts';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { validate } from '../../../src/config/rules/validate.ts';
import type { ProblemCode } from '../../../src/config/syntax/problemCodes.ts';
import type { Problem } from '../../../src/config/syntax/problems.ts';

export interface Marked {
  readonly doc: ConfDocument;
  readonly offset: number;
}

/** The text without its mark, and where that was. */
export function marked(text: string): Marked {
  const offset = text.indexOf('|');
  if (offset < 0) throw new Error(`No | in ${JSON.stringify(text)}`);
  return { doc: parseConf(text.slice(0, offset) + text.slice(offset + 1)), offset };
}

export function textAt(doc: ConfDocument, range: Range): string {
  return doc.text.slice(range.start, range.end);
}

/** The only problem of that code. */
export function theProblem(doc: ConfDocument, code: ProblemCode): Problem {
  const [found, ...more] = validate(doc, undefined).filter((each) => each.code === code);
  if (found === undefined || more.length > 0)
    throw new Error(`Expected one ${code}, got ${String(found === undefined ? 0 : more.length + 1)}`);
  return found;
}

/** A stage that is whole. */
export const STAGE = '[production]\nrepository: .\nserver: web1\nproject_dir: /var/www/shop\n';
