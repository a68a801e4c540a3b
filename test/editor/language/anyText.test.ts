import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ConfDocument, Range } from '../../../src/config/syntax/document.ts';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { validate } from '../../../src/config/rules/validate.ts';
import { completionsAt } from '../../../src/language/completion.ts';
import { createHides } from '../../../src/transfer/tree/hiddenPaths.ts';
import { untranslated, type ProjectNames } from '../../../src/language/languageFacts.ts';
import { fixesFor } from '../../../src/language/fixes.ts';
import { applyEdits } from '../../../src/language/formatDocument.ts';
import { hoverAt } from '../../../src/language/hover.ts';
import { lineAt } from '../../../src/language/layout.ts';
import { lensesOf } from '../../../src/language/lenses.ts';
import { linksOf } from '../../../src/language/links.ts';
import { definitionsAt, referencesAt } from '../../../src/language/navigation.ts';
import { foldsOf, outlineOf, type OutlineNode } from '../../../src/language/outline.ts';
import { projectFactsFor } from '../../../src/language/projectValidation.ts';
import { prepareRename, renameEdits } from '../../../src/language/rename.ts';
import { confText } from './texts.ts';

const PROJECT: ProjectNames = {
  branch: 'main',
  branches: ['main'],
  remoteBranches: [],
  tags: ['v1'],
  remotes: [{ name: 'origin', url: 'x' }],
  trackedPaths: ['a/b', 'c'],
};
const AROUND = { project: PROJECT, sshHosts: ['web1'], keyFiles: ['~/.ssh/id'], variables: ['HOME'] };

/** A text with a place where an editor's cursor can stand: not before a byte order mark, not inside of CRLF. */
const at = fc.tuple(confText, fc.double({ min: 0, max: 1, noNaN: true })).map(([text, part]) => {
  const doc = parseConf(text);
  const anywhere = Math.round(part * text.length);
  const { start, end } = lineAt(doc, anywhere);
  return { doc, offset: Math.max(start, Math.min(anywhere, end)) };
});

/** A key that looked like a section may well have got a better name. */
function wrongIn(doc: ConfDocument): readonly string[] {
  return doc.problems.map(({ code }) => code).filter((code) => code !== 'section-like-key');
}

function inside(doc: ConfDocument, { start, end }: Range): void {
  assert.ok(start >= 0 && start <= end && end <= doc.text.length, `${String(start)}-${String(end)}`);
}

describe('on any text and offset', () => {
  it('completion replaces part of one line, around the cursor', () => {
    fc.assert(
      fc.property(at, ({ doc, offset }) => {
        for (const { range } of completionsAt(doc, offset, AROUND, untranslated)) {
          inside(doc, range);
          assert.ok(
            range.start <= offset && offset <= range.end,
            `${String(range.start)}-${String(range.end)} ${String(offset)}`,
          );
          assert.ok(!/[\r\n]/.test(doc.text.slice(range.start, range.end)));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('hover, definition, references and rename stay inside of it', () => {
    fc.assert(
      fc.property(at, ({ doc, offset }) => {
        const hover = hoverAt(doc, offset, untranslated);
        if (hover !== undefined) {
          inside(doc, hover.range);
          assert.ok(hover.markdown.every((part) => part !== ''));
        }
        for (const range of definitionsAt(doc, offset)?.targets ?? []) inside(doc, range);
        for (const range of referencesAt(doc, offset, { includeDeclaration: true })) inside(doc, range);
        const prepared = prepareRename(doc, offset, untranslated);
        if (prepared.refused === undefined) inside(doc, prepared.range);
      }),
      { numRuns: 3000 },
    );
  });

  it('rename leaves a text with as many sections, options and errors', () => {
    fc.assert(
      fc.property(at, ({ doc, offset }) => {
        const renamed = renameEdits(doc, offset, 'fresh-name', untranslated);
        if (renamed.refused !== undefined) return;
        const after = parseConf(applyEdits(doc.text, renamed.edits));
        assert.equal(after.options.length, doc.options.length);
        assert.equal(after.sections.size, doc.sections.size);
        assert.deepEqual(wrongIn(after), wrongIn(doc));
      }),
      { numRuns: 3000 },
    );
  });

  it('outline, folds, links and lenses have places', () => {
    const check = (doc: ConfDocument, node: OutlineNode): void => {
      inside(doc, node.range);
      assert.ok(node.range.start <= node.selection.start && node.selection.end <= node.range.end);
      assert.notEqual(node.name.trim(), '');
      for (const child of node.children) check(doc, child);
    };
    fc.assert(
      fc.property(confText, (text) => {
        const doc = parseConf(text);
        for (const node of outlineOf(doc, untranslated)) check(doc, node);
        for (const { first, last } of foldsOf(doc))
          assert.ok(0 <= first && first < last && last < doc.lineStarts.length);
        for (const { range } of linksOf(doc)) inside(doc, range);
        for (const { range } of lensesOf(doc, () => undefined, untranslated)) inside(doc, range);
      }),
      { numRuns: 2000 },
    );
  });

  it('every quick fix can be applied', () => {
    fc.assert(
      fc.property(confText, (text) => {
        const doc = parseConf(text);
        const facts = projectFactsFor({
          project: PROJECT,
          excludes: createHides(),
          identity: () => ({ exists: true, mode: 0o644 }),
        });
        for (const problem of validate(doc, undefined, facts)) {
          inside(doc, problem.range);
          for (const fix of fixesFor(doc, problem, AROUND, untranslated)) {
            assert.notEqual(fix.title, '');
            let end = 0;
            for (const edit of fix.edits) {
              inside(doc, edit.range);
              assert.ok(edit.range.start >= end);
              end = edit.range.end;
            }
            parseConf(applyEdits(text, fix.edits));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
