import assert from 'node:assert/strict';
import { untranslated } from '../../../src/language/languageFacts.ts';
import { hoverAt } from '../../../src/language/hover.ts';
import { codeBlock, inlineCode, plainMarkdown } from '../../../src/language/markdown.ts';
import { marked, textAt } from './marked.ts';

function hover(text: string): string {
  const { doc, offset } = marked(text);
  return hoverAt(doc, offset, untranslated)?.markdown.join('\n\n') ?? '';
}

describe('hover', () => {
  const cases: readonly (readonly [string, string, readonly RegExp[]])[] = [
    [
      'the doc of an option',
      '[a]\nkeep_re|leases: 3',
      [/How many finished releases/, /default: `5`/, /#keep_releases/],
    ],
    [
      'a value of the stage',
      '[a]\nuser: x\nproject_dir: /s|rv/%(user)s',
      [/In \[a\], from \[a\] line 3/, /```\n\/srv\/x\n```/],
    ],
    [
      'a value of DEFAULT',
      '[DEFAULT]\nuser: root\n[a]\nproject_dir: /%(us|er)s',
      [/In \[a\], from \[DEFAULT\] line 2/, /```\nroot\n```/],
    ],
    ['who has another value', '[DEFAULT]\nuse|r: root\n[a]\nuser: x\n[b]\n', [/Other values in \[a\]/]],
    ['choices', '[a]\nstra|tegy: inplace', [/`releases`: a folder/, /default: `releases`/]],
    ['a variable', '[vars]\nv: 1.2\n[a]\nversion: var!|v', [/var!v/, /```\n1\.2\n```/]],
    ['a variable that is not there', '[a]\nversion: var!|v', [/\[vars\] has no such key/]],
    ['a reference that is not there', '[a]\nversion: %(x|x)s', [/Neither this section/]],
    ['a resolver, as written', '[a]\nuser: secret!log|in', [/```\nsecret!login\n```/, /secret store/]],
    ['a command that is not run', '[a]\nuser: sh!who|ami', [/```\nsh!whoami\n```/, /never while you type/]],
    [
      'a stage',
      '[prod|uction]\nserver: a, b',
      [/Stage \*\*production\*\*/, /server: `a`, `b`/, /strategy: `releases`/],
    ],
    [
      'a goal by its name',
      '[a]\npipeline: te|sted\n[goal tested]\ntype: shell',
      [/Goal \*\*tested\*\*/, /Runs a command every time/, /type: `shell`/],
    ],
    [
      'the types of a goal',
      '[goal x]\nty|pe: shell',
      [/- `git_tag_exists`: Achieved when the tag points there/],
    ],
    ['the built-in goal', '[a]\npipeline: dep|loy', [/live on every server/]],
    ['a broken value', '[a]\nuser: x%(nope)s-y|', [/stays as written/]],
    ['a key of a goal', '[goal x]\ntype: http_ok\nsta|tus: 204', [/The status that the answer must have/]],
    ["a key of one's own", '[a]\nsi|te: x\nproject_dir: /%(site)s', [/A key of your own/]],
  ];
  for (const [name, text, patterns] of cases)
    it(`shows ${name}`, () => {
      const shown = hover(text);
      for (const pattern of patterns) assert.match(shown, pattern);
    });

  it('is silent in comments and blank lines', () => {
    assert.equal(hover('[a]\n# comm|ent\n'), '');
    assert.equal(hover('|\n[a]\n'), '');
    assert.equal(hover('[a]\n\n|\n'), '');
  });

  it('marks a single line', () => {
    const { doc, offset } = marked('[a]\nserver:\n  web1\n  we|b2\n');
    const found = hoverAt(doc, offset, untranslated);
    assert.ok(found);
    assert.ok(!textAt(doc, found.range).includes('\n'));
  });

  const secrets: readonly (readonly [string, string])[] = [
    ['by their look', '[a]\ne|nv: DB_PASSWORD=hunter2hunter2'],
    ['by their name', '[vars]\ndb_pass|word: hunter2hunter2'],
    ['by the names that are masked in output', '[vars]\nsentry_|dsn: hunter2hunter2'],
    ['in addresses', '[a]\nrepo|sitory: https://me:hunter2hunter2@example.com/x.git'],
    [
      'that come by reference',
      '[DEFAULT]\ndb_password: hunter2hunter2\n[a]\nsi|te: x-%(db_password)s\nuser: %(site)s',
    ],
    ['where they are used', '[DEFAULT]\ndb_password: hunter2hunter2\n[a]\nuser: %(db_pass|word)s'],
    ['of variables', '[vars]\napi_token: hunter2hunter2\n[a]\nuser: var!api_|token'],
    ['of keys', '[vars]\nk|ey: -----BEGIN OPENSSH PRIVATE KEY-----\n  hunter2hunter2'],
    ['of stages', '[|a]\nrepository: https://me:hunter2hunter2@example.com/x.git'],
  ];
  for (const [name, text] of secrets)
    it(`masks secrets ${name}`, () => {
      const shown = hover(text);
      assert.ok(shown !== '');
      assert.ok(!shown.includes('hunter2'), shown);
      assert.match(shown, /\*\*\*/);
    });

  it('shows nothing hostile as Markdown', () => {
    const hostile =
      '`x` ```\n[click](command:workbench.action.quit) <img src=x> ![i](https://evil.example/p.png) $(sync~spin)';
    const quoted = hostile.split('\n').join('\n  ');
    for (const shown of [
      hover(`[a]\nser|ver: ${quoted}\n`),
      hover(`[[x](command:y) ![i](https://evil.example)|]\nserver: x\n`),
      hover(`[[x](command:y)]\nser|ver: x\n`),
      hover(`[DEFAULT]\nser|ver: x\n[[x](command:y)]\nserver: x\n`),
    ]) {
      assert.ok(shown !== '');
      const outside = withoutCode(shown);
      assert.ok(!/\]\((?:command|https:\/\/evil)/.test(outside), outside);
      assert.ok(!/<img/.test(outside), outside);
    }
  });

  it('quotes any text so that it cannot get out of its block', () => {
    assert.equal(codeBlock('a\n```\nb'), '````\na\n```\nb\n````');
    assert.equal(inlineCode('a`b'), '``a`b``');
    assert.equal(inlineCode('`'), '`` ` ``');
    assert.ok(!plainMarkdown('https://evil.example www.evil.example').includes('https://'));
    assert.ok(codeBlock('x'.repeat(100_000)).length < 3000);
  });
});

/** Markdown without code blocks and code spans, as CommonMark reads them. */
function withoutCode(markdown: string): string {
  return markdown
    .replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, '')
    .replace(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}
