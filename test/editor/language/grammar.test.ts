import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';
import {
  GOAL_TYPES,
  OPTIONS,
  PROCESS_OPTIONS,
  type OptionTable,
} from '../../../src/config/options/options.ts';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { validate } from '../../../src/config/rules/validate.ts';

const media = new URL('../../../media/', import.meta.url);
const FILE = new URL('durant-conf.tmLanguage.json', media);

/** Stands in for VS Code's own: marks commands, strings and variables. */
const SHELL = {
  scopeName: 'source.shell',
  patterns: [
    { match: '\\b(npm|echo|date)\\b', name: 'support.function.shell' },
    { begin: '"', end: '"', name: 'string.quoted.double.shell' },
  ],
};

async function loadGrammar(): Promise<textmate.IGrammar> {
  const require = createRequire(import.meta.url);
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(new Uint8Array(wasm).buffer);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope) =>
      Promise.resolve(
        scope === 'source.shell'
          ? textmate.parseRawGrammar(JSON.stringify(SHELL), 'shell.json')
          : textmate.parseRawGrammar(readFileSync(FILE, 'utf8'), 'durant.json'),
      ),
  });
  const grammar = await registry.loadGrammar('source.durant-conf');
  assert.ok(grammar);
  return grammar;
}

describe('the grammar', () => {
  let grammar: textmate.IGrammar;
  before(async () => {
    grammar = await loadGrammar();
  });

  /** `text scope` of each token that has one, its innermost scope without the language's name. */
  function tokens(text: string): readonly string[] {
    let stack = textmate.INITIAL;
    return text.split('\n').flatMap((line) => {
      const result = grammar.tokenizeLine(line, stack);
      stack = result.ruleStack;
      return result.tokens.flatMap(({ startIndex, endIndex, scopes }) => {
        const word = line.slice(startIndex, endIndex).trim();
        const scope = scopes.at(-1)?.replace(/\.(?:durant-conf|shell)$/, '');
        return word === '' || scopes.length < 2 ? [] : [`${word} ${scope ?? ''}`];
      });
    });
  }

  function has(text: string, ...expected: readonly string[]): void {
    const found = tokens(text);
    for (const each of expected) assert.ok(found.includes(each), `${each} is not among\n${found.join('\n')}`);
  }

  it('knows sections', () => {
    has('[production]', 'production entity.name.section.stage', '[ punctuation.definition.section.begin');
    has('[DEFAULT]', 'DEFAULT keyword.other.section');
    has('[goal tested]', 'goal keyword.other.section', 'tested entity.name.section');
    has('[process web]', 'process keyword.other.section', 'web entity.name.section');
    has('[default]', 'default entity.name.section.stage');
    has('[a] ignored', 'ignored comment.line.ignored');
  });

  it('knows keys, delimiters, values', () => {
    has(
      'user: deploy',
      'user support.type.property-name',
      ': punctuation.separator.key-value',
      'deploy string.unquoted',
    );
    has('user = deploy', '= punctuation.separator.key-value');
    has('submodules: yes', 'yes constant.language.boolean');
    has('keep_releases: -1', '-1 constant.numeric');
    has('health_timeout: 30s', '30s constant.numeric');
    has('own key: x', 'own key support.type.property-name');
    has('release_name: {date}-x', '{date} variable.language.placeholder');
  });

  it('knows comments, of whole lines only', () => {
    has('# one', '# punctuation.definition.comment', 'one comment.line');
    has('  ; two', '; punctuation.definition.comment');
    has('user: # none', '# string.unquoted');
    has('server:\n  a\n# between\n  b', 'between comment.line', 'b string.unquoted');
  });

  it('knows lists', () => {
    has('server: a, b', ', punctuation.separator.list', 'b string.unquoted');
    has('pipeline: a, b?', '? keyword.operator.optional');
    has(
      'env:\n  A=b\n  C=secret!d',
      'A variable.other.assignment',
      'secret keyword.control.resolver',
      'd variable.other',
    );
  });

  it('knows references and escapes', () => {
    has(
      'project_dir: /srv/%(user)s',
      'user variable.other.reference',
      '%( punctuation.definition.reference.begin',
    );
    has('version: 100%%', '%% constant.character.escape');
    has('vendors: echo "%(user)s"', 'user variable.other.reference');
  });

  it('knows resolvers', () => {
    has(
      'user: env!USER',
      'env keyword.control.resolver',
      '! punctuation.separator.resolver',
      'USER variable.other',
    );
    has(
      'server: var!x, b',
      'var keyword.control.resolver',
      'x variable.other',
      ', punctuation.separator.list',
    );
    has('version: sh!date +%%F', 'sh keyword.control.resolver', 'date support.function');
    has('version: fish!date', 'fish!date string.unquoted');
  });

  it('has shell in commands, and in nothing else', () => {
    has('before_deploy:\n    npm ci\n    echo "x', 'npm support.function', 'echo support.function');
    has('after_symlink: once! echo x', 'once keyword.control.place', 'echo support.function');
    has(
      'health_check:\n  https://x.example/up\n  local! echo',
      'https://x.example/up string.other.link',
      'echo support.function',
    );
    has('branch: npm', 'npm string.unquoted');
    has('vendors: env!X', 'env keyword.control.resolver', 'X variable.other');
  });

  it('ends a command at its line', () => {
    has(
      'before_deploy:\n    echo "x\n    npm ci\nbranch: main',
      'npm support.function',
      'branch support.type.property-name',
      'main string.unquoted',
    );
  });

  it('continues a value as deep as it is indented', () => {
    has('server:\n  a: b\nuser: x', 'user support.type.property-name');
    assert.ok(!tokens('server:\n  a: b').includes('a support.type.property-name'));
    assert.ok(!tokens('server:\n\n  [x]').some((token) => token.includes('section')));
    has('  server: a\n  user: b', 'user support.type.property-name');
  });

  it('knows the key of every kind of commands, and takes no other for one', () => {
    const tables: readonly OptionTable[] = [
      OPTIONS,
      PROCESS_OPTIONS,
      ...Object.values(GOAL_TYPES).map(({ options }) => options),
    ];
    for (const table of tables)
      for (const [key, spec] of Object.entries(table)) {
        const isShell = spec.kind === 'commands' || key === 'command';
        const found = tokens(`${key}: npm, ci`);
        assert.equal(found.includes('npm support.function'), isShell, key);
        const isList = ['list', 'servers', 'env'].includes(spec.kind);
        assert.equal(found.includes(', punctuation.separator.list'), isList, key);
      }
  });

  it('agrees with the parser on what is a key and what a section', () => {
    const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    const blocks = [...text.matchAll(/```ini\n([\s\S]*?)```/g)].map(([, block = '']) => `[a]\n${block}`);
    for (const block of blocks) {
      const keys = parseConf(block).options.map(({ key }) => key);
      const found = tokens(block).flatMap(
        (token) => /^(.+) support\.type\.property-name$/.exec(token)?.[1] ?? [],
      );
      assert.deepEqual(found, keys);
    }
  });
});

describe('snippets', () => {
  const path = new URL('snippets.json', media);
  const snippets: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const bodies = Object.entries(snippets ?? {}).map(
    ([name, snippet]: [string, { readonly body: readonly string[] }]) => ({
      name,
      text: snippet.body.join('\n').replaceAll(/\$\{\d+:([^}]*)\}|\$\d/g, '$1'),
    }),
  );
  it('have no prefix: VS Code would offer them in values, too', () => {
    assert.ok(bodies.length > 5);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /"prefix"/);
  });

  for (const { name, text } of bodies)
    it(`${name} is valid as it comes`, () => {
      const whole = text.includes('[') ? text : `[production]\nserver: x\nproject_dir: /srv/x\n${text}`;
      const rest = whole.includes('repository') ? '' : '\n[DEFAULT]\nrepository: .\n';
      const doc = parseConf(whole + rest);
      const problems = validate(doc, undefined).filter(({ severity }) => severity === 'error');
      assert.deepEqual(problems, []);
    });
});
