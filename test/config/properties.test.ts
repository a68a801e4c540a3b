import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ConfDocument, Range } from '../../src/config/syntax/document.ts';
import { positionAt } from '../../src/config/syntax/document.ts';
import { OPTIONS } from '../../src/config/options/options.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { toProblemJson } from '../../src/config/syntax/problemJson.ts';
import { configJson, rawConfig, resolveStage, stageNames } from '../../src/config/values/stage.ts';
import { validate } from '../../src/config/rules/validate.ts';
import { applied } from './marked.ts';

const piece = fc.oneof(
  fc.constantFrom(
    '[',
    ']',
    '[a]\n',
    '[vars]\n',
    '[DEFAULT]\n',
    '[goal g]\n',
    '[process p]\n',
    '\n',
    '\r',
    '\r\n',
    ' ',
    '\t',
  ),
  fc.constantFrom(
    '=',
    ': ',
    '%',
    '%(',
    '%(a)s',
    '%%',
    '#',
    ';',
    ',',
    '~',
    '/',
    '..',
    '@',
    'env!X',
    'var!a',
    '\uFEFF',
    '\0',
    '-',
  ),
  fc.constantFrom(
    ...Object.keys(OPTIONS),
    'a',
    'type',
    'shell',
    'command',
    'inplace',
    '-----BEGIN PGP MESSAGE-----',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const anyText = fc.oneof(
  fc.array(piece, { maxLength: 60, size: 'max' }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

const within = (doc: ConfDocument, { start, end }: Range): void => {
  assert.ok(start >= 0 && start <= end && end <= doc.text.length, `${String(start)}-${String(end)}`);
};

describe('config: any text', function () {
  it('is parsed, resolved and validated without a throw, every range inside of it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const doc = parseConf(text);
        for (const option of doc.options) {
          for (const range of [option.keyRange, option.valueRange, option.range]) within(doc, range);
          for (const line of option.lines) {
            within(doc, line.range);
            assert.equal(text.slice(line.range.start, line.range.end), line.text);
          }
          assert.equal(text.slice(option.keyRange.start, option.keyRange.end).toLowerCase(), option.key);
        }
        for (const comment of doc.comments) within(doc, comment);
        const problems = validate(doc, undefined, {
          excludes: () => true,
          trackedFiles: () => ['a'],
          refs: () => [],
        });
        for (const [index, found] of problems.entries()) {
          within(doc, found.range);
          assert.ok((problems[index - 1]?.range.start ?? 0) <= found.range.start);
          for (const related of found.data?.related ?? []) within(doc, related.range);
          const json = toProblemJson(doc, found);
          assert.ok(json.line >= 1 && json.column >= 1 && json.endLine <= doc.lineStarts.length);
          for (const fix of found.data?.fixes ?? []) {
            for (const edit of fix.edits) within(doc, edit.range);
            assert.notEqual(applied(text, fix.edits), text);
          }
        }
        for (const name of stageNames(doc)) {
          JSON.stringify(configJson(resolveStage(doc, name)));
          validate(doc, name);
        }
        JSON.stringify(rawConfig(doc));
      }),
      { numRuns: 3000 },
    );
  });

  it('offsets and positions agree', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (text, seed) => {
        const doc = parseConf(text);
        const offset = text.length === 0 ? 0 : seed % (text.length + 1);
        const { line, column } = positionAt(doc, offset);
        const back = (doc.lineStarts[line - 1] ?? 0) + column - 1;
        assert.equal(back, Math.max(offset, text.startsWith('\uFEFF') ? 1 : 0));
      }),
    );
  });

  it('hostile texts take no long time', () => {
    const hostile = [
      '['.repeat(200_000),
      '[\n'.repeat(100_000),
      `[a]\nx = ${'%('.repeat(100_000)})`,
      `[a]\nx = ${'%(x)s'.repeat(50_000)}`,
      `[DEFAULT]\n${Array.from({ length: 3000 }, (_, n) => `k${String(n)} = %(k${String(n + 1)})s`).join('\n')}\n${Array.from({ length: 3000 }, (_, n) => `[s${String(n)}]`).join('\n')}`,
      `[a]\n${' '.repeat(300_000)}x`,
      `[a]\nexclude = ${','.repeat(200_000)}`,
      `[a]\nserver = ${'a,'.repeat(50_000)}`,
      `[a]\nrelease_name = ${'{'.repeat(100_000)}`,
      `[a]\nenv = A=${'a-'.repeat(100_000)}`,
    ];
    for (const text of hostile) {
      // Processor time: what else the machine does is no property of the text.
      const start = process.cpuUsage();
      validate(parseConf(text), undefined);
      const { user, system } = process.cpuUsage(start);
      const ms = (user + system) / 1000;
      assert.ok(ms < 5000, `${text.slice(0, 30)}… took ${ms.toFixed(0)} ms`);
    }
  });

  it('timing of 10,000 lines, printed only', () => {
    const stage = (n: number): string =>
      `[stage ${String(n)}]\nserver: web${String(n)}, web\nproject_dir = /srv/%(user)s/${String(n)}\n# why\nbefore_deploy:\n    npm ci\n    npm run build\nbranch: main\nprotected = yes\n\n`;
    const text = `[DEFAULT]\nrepository: /x\nuser: deploy\n${Array.from({ length: 1000 }, (_, n) => stage(n)).join('')}`;
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const doc = parseConf(text);
      const parsed = performance.now();
      assert.deepEqual(validate(doc, undefined), []);
      return { parse: parsed - start, validate: performance.now() - parsed };
    });
    const show = (values: readonly number[]): string => values.map((ms) => ms.toFixed(1)).join(' ');
    console.log(
      `      parse ms: ${show(times.map((t) => t.parse))}; validate ms: ${show(times.map((t) => t.validate))}`,
    );
  });
});
