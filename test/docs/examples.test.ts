/** Every example of durant.conf in the README and in docs/ is one that `durant check` has nothing against. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GOAL_TYPES, findOption, isOptionKey } from '../../src/config/options/options.ts';
import { placeOf } from '../../src/config/syntax/sections.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { makeCliHome, type CliHome } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { examplesOf } from '../support/examples.ts';

const root = new URL('../../', import.meta.url);
const pages = ['README.md', ...readdirSync(new URL('docs', root)).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

/** What every stage needs, where the example is about something else. */
const BASE = { repository: '.', server: 'web1', project_dir: '/srv/shop' };

/** A part of a file as a whole one: what it leaves out is written around it. */
function whole(example: string): string {
  const text = /^\s*\[/m.test(example) ? example : inItsSection(example);
  const doc = parseConf(text);
  const stages = [...doc.sections.values()].filter(({ name }) => placeOf(name).place === 'stage');
  const keys = new Set([...stages, doc.defaults].flatMap(({ options }) => [...options.keys()]));
  const lacking = Object.entries(BASE).filter(([key]) => !keys.has(key));
  const inplace = [...keys].some((key) => findOption('stage', key)?.strategy === 'inplace');
  const defaults = [
    ...lacking.map(([key, value]) => `${key} = ${value}`),
    ...(inplace ? ['strategy = inplace'] : []),
  ];
  const head = defaults.length === 0 ? '' : `[DEFAULT]\n${defaults.join('\n')}\n`;
  return `${head}${text}\n${named(doc, 'pipeline', 'goal', 'type = shell\ncommand = true')}${named(doc, 'processes', 'process', 'command = run')}`;
}

/** Options stand in a stage, a process, or a goal of a type that has them. */
function inItsSection(example: string): string {
  const keys = [...(parseConf(`[x]\n${example}`).sections.get('x')?.options.keys() ?? [])];
  if (keys.every((key) => isOptionKey(key))) return `[production]\n${example}`;
  if (keys.every((key) => findOption('process', key) !== undefined))
    return `[production]\n[process web]\n${keys.includes('command') ? '' : 'command = run\n'}${example}`;
  const type = Object.keys(GOAL_TYPES).find((each) => keys.every((key) => findOption('goal', key, each)));
  assert.ok(type !== undefined, `no section has ${keys.join(', ')}`);
  const needed = Object.entries<{ readonly required?: unknown; readonly example: string }>(
    GOAL_TYPES[type as keyof typeof GOAL_TYPES].options,
  ).filter(([key, spec]) => spec.required !== undefined && !keys.includes(key));
  const lines = [
    ...(keys.includes('type') ? [] : [`type = ${type}`]),
    ...needed.map(([key, spec]) => `${key} = ${spec.example}`),
  ];
  return `[production]\n[goal it]\n${lines.map((line) => `${line}\n`).join('')}${example}`;
}

/** Sections that a list names and the example leaves out. */
function named(doc: ReturnType<typeof parseConf>, key: string, kind: string, body: string): string {
  const lists = [...doc.sections.values()].flatMap(
    ({ options }) => options.get(key)?.raw.split(/[\s,]+/) ?? [],
  );
  const names = lists
    .map((name) => name.replace(/\?$/, ''))
    .filter((name) => name !== '' && name !== 'deploy');
  return [...new Set(names)]
    .filter((name) => !doc.sections.has(`${kind} ${name}`))
    .map((name) => `[${kind} ${name}]\n${body}\n`)
    .join('');
}

describe('the examples of the documentation', () => {
  let home: CliHome;
  let project: string;
  before(async () => {
    home = await makeCliHome([]);
    project = mkdtempSync(join(tmpdir(), 'durant-docs-'));
    const git = (...args: string[]) => execFileSync('git', ['-C', project, ...args], { stdio: 'ignore' });
    // The key that an example names.
    mkdirSync(join(home.env['HOME'] ?? '', '.ssh'), { recursive: true });
    writeFileSync(join(home.env['HOME'] ?? '', '.ssh/deploy_ed25519'), '', { mode: 0o600 });
    git('init', '-q', '-b', 'main');
    git('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'First');
  });
  after(async () => {
    await home?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  for (const page of pages) {
    const examples = examplesOf(readFileSync(new URL(page, root), 'utf8'), 'ini');
    if (examples.length === 0) continue;
    it(`${page}: ${examples.length} of durant.conf`, async () => {
      const wrong: string[] = [];
      for (const example of examples) {
        const conf = whole(example);
        writeFileSync(join(project, 'durant.conf'), conf);
        const { status, stdout } = await runCliHere(['--json', 'check'], { home, cwd: project });
        if (status !== 0) wrong.push(`${conf}\n${stdout}`);
      }
      assert.deepEqual(wrong, []);
    });
  }
});
