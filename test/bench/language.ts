// node test/bench/language.ts: how long each answer of the editor takes on files of 10,000 lines. Each is to stay within 100 ms.
import { performance } from 'node:perf_hooks';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { validate } from '../../src/config/rules/validate.ts';
import { completionsAt } from '../../src/language/completion.ts';
import { createHides } from '../../src/transfer/tree/hiddenPaths.ts';
import { untranslated, type ProjectNames } from '../../src/language/languageFacts.ts';
import { fixesFor } from '../../src/language/fixes.ts';
import { formatEdits } from '../../src/language/formatDocument.ts';
import { hoverAt } from '../../src/language/hover.ts';
import { lensesOf } from '../../src/language/lenses.ts';
import { linksOf } from '../../src/language/links.ts';
import { definitionsAt, referencesAt } from '../../src/language/navigation.ts';
import { foldsOf, outlineOf } from '../../src/language/outline.ts';
import { projectFactsFor } from '../../src/language/projectValidation.ts';
import { renameEdits } from '../../src/language/rename.ts';

const LINES = 10_000;
const LIMIT = 100;
const RUNS = 7;

const repeat = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

const FILES: Readonly<Record<string, string>> = {
  'a stage every 20 lines': `[DEFAULT]\nrepository: .\nbase: /srv\nexclude: /dcs, *.md\n${repeat(
    LINES / 20,
    (index) =>
      `[stage${String(index)}]\nserver:\n    web${String(index)}a\n    web${String(index)}b\nproject_dir: %(base)s/shop${String(index)}\nbranch: main\nuser: var!login\nkeep_releases: 5\nshared_dirs: storage, public/uploads\nshared_files:\n    .env\nbefore_deploy:\n    npm ci\n    npm run build\n# comment\nafter_symlink: sudo systemctl reload php\nhealth_check: https://shop.example.com/up\n\n\n\n`,
  )}[vars]\nlogin: deploy\n`,
  'a stage every 2 lines': `[DEFAULT]\nrepository: .\nproject_dir: /srv/x\n${repeat(LINES / 2, (index) => `[s${String(index)}]\nserver: web${String(index)}\n`)}`,
  'one value of 10,000 lines': `[a]\nrepository: .\nproject_dir: /srv/x\nserver: x\nexclude:\n${repeat(LINES, (index) => `  /folder${String(index)}\n`)}`,
  'a mistake on each line': `[a]\n${repeat(LINES, (index) => `brnch${String(index)}: %(unknown${String(index)})s %\n`)}`,
  '10,000 keys of its own': `[a]\nk0: x\n${repeat(LINES, (index) => `k${String(index + 1)}: %(k0)s\n`)}`,
  'nothing but text': repeat(LINES, (index) => `some text ${String(index)}\n`),
};

const PROJECT: ProjectNames = {
  branch: 'main',
  branches: Array.from({ length: 500 }, (_, index) => `branch${String(index)}`),
  remoteBranches: [],
  tags: Array.from({ length: 500 }, (_, index) => `v${String(index)}`),
  remotes: [{ name: 'origin', url: 'https://example.com/shop.git' }],
  trackedPaths: Array.from(
    { length: 13_000 },
    (_, index) => `src/folder${String(index % 300)}/file${String(index)}.ts`,
  ),
};
const AROUND = { project: PROJECT, sshHosts: [], keyFiles: [], variables: [] };

let slow = 0;
for (const [name, text] of Object.entries(FILES)) {
  const doc = parseConf(text);
  const excludes = createHides();
  const facts = () =>
    projectFactsFor({ project: PROJECT, excludes, identity: () => ({ exists: true, mode: 0o600 }) });
  const problems = validate(doc, undefined, facts());
  const middle = doc.options[Math.floor(doc.options.length / 2)];
  const last = doc.options.at(-1);
  const at = middle?.keyRange.end ?? text.length >> 1;
  const inValue = middle?.valueRange.end ?? at;
  const end = last?.range.end ?? text.length;
  console.log(`\n${name}: ${String(doc.lineStarts.length - 1)} lines, ${String(problems.length)} problems`);
  measure('diagnostics, parsing included', () => validate(parseConf(text), undefined, facts()));
  measure('fixes of one problem', () =>
    problems.slice(0, 1).map((each) => fixesFor(doc, each, AROUND, untranslated)),
  );
  measure('completion of a key', () => completionsAt(doc, at, AROUND, untranslated));
  measure('completion of a value', () => completionsAt(doc, inValue, AROUND, untranslated));
  measure('completion at the end', () => completionsAt(doc, end, AROUND, untranslated));
  measure('hover', () => hoverAt(doc, inValue, untranslated));
  measure('definition', () => definitionsAt(doc, inValue));
  measure('references', () => referencesAt(doc, at, { includeDeclaration: true }));
  measure('rename', () => renameEdits(doc, at, 'other', untranslated));
  measure('lenses', () => lensesOf(doc, () => undefined, untranslated));
  measure('outline', () => outlineOf(doc, untranslated));
  measure('folding', () => foldsOf(doc));
  measure('links', () => linksOf(doc));
  measure('formatting', () => formatEdits(doc, { indent: '    ' }));
}
console.log(
  slow === 0
    ? `\nEach answer came within ${String(LIMIT)} ms.`
    : `\n${String(slow)} took longer than ${String(LIMIT)} ms.`,
);

/** Prints the median and the slowest of some runs, the first one, cold, included. */
function measure(name: string, run: () => unknown): void {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const median = times[RUNS >> 1] ?? 0;
  const most = times.at(-1) ?? 0;
  if (most > LIMIT) slow += 1;
  console.log(
    `  ${name.padEnd(32)}${median.toFixed(1).padStart(8)} ms   at most ${most.toFixed(1).padStart(7)} ms${most > LIMIT ? '  !' : ''}`,
  );
}
