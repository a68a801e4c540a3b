import assert from 'node:assert/strict';
import { completionsAt } from '../../../src/language/completion.ts';
import type { Suggestion } from '../../../src/language/suggestion.ts';
import { untranslated, type Surroundings } from '../../../src/language/languageFacts.ts';
import { HOOK_STEPS, OPTIONS } from '../../../src/config/options/options.ts';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { validate } from '../../../src/config/rules/validate.ts';
import { marked } from './marked.ts';

const AROUND: Surroundings = {
  project: {
    branch: 'main',
    branches: ['develop', 'main'],
    remoteBranches: [{ remote: 'origin', branch: 'release/2' }],
    tags: ['v1.0'],
    remotes: [
      { name: 'origin', url: 'https://github.com/example/shop.git' },
      { name: 'fork', url: 'git@example.com:me/shop.git' },
    ],
    trackedPaths: [
      'README.md',
      'composer.json',
      'public/index.php',
      'public/css/site.css',
      'storage/.gitkeep',
      'odd,name.txt',
      '#notes',
      '100%/a',
      'dist/app.js',
    ],
  },
  sshHosts: ['web1', 'web2'],
  keyFiles: ['~/.ssh/id_ed25519'],
  variables: ['HOME', 'PATH'],
};

function complete(text: string, around = AROUND): readonly Suggestion[] {
  const { doc, offset } = marked(text);
  return completionsAt(doc, offset, around, untranslated);
}

function labels(text: string, around = AROUND): readonly string[] {
  return complete(text, around).map(({ label }) => label);
}

/** The text after one suggestion was taken. */
function accepted(text: string, label: string): string {
  const { doc } = marked(text);
  const found = complete(text).find((each) => each.label === label);
  assert.ok(found, `${label} is not among ${labels(text).join(' ')}`);
  return doc.text.slice(0, found.range.start) + found.insert + doc.text.slice(found.range.end);
}

describe('completion of keys', () => {
  it('offers every option of a stage, the required ones first', () => {
    const found = labels('[production]\n|');
    assert.deepEqual(found.slice(0, 3), ['repository', 'server', 'project_dir']);
    const inplaceOnly = ['delete', 'overwrite_newer'];
    for (const key of Object.keys(OPTIONS))
      assert.equal(found.includes(key), !inplaceOnly.includes(key), key);
    for (const step of HOOK_STEPS) assert.ok(found.includes(`before_${step}`));
  });

  it('does not offer what is there already, but keeps the key that is being edited', () => {
    assert.ok(!labels('[a]\nserver: x\n|').includes('server'));
    assert.ok(labels('[a]\nser|ver: x\n').includes('server'));
    assert.ok(labels('[a]\nser|ver: x\n').includes('branch'));
  });

  it('offers what DEFAULT has already, after what is missing', () => {
    const found = labels('[DEFAULT]\nserver: x\n[a]\n|');
    assert.ok(found.indexOf('server') > found.indexOf('project_dir'));
    assert.ok(found.includes('server'));
  });

  it('offers only keys that go with the strategy', () => {
    const found = labels('[a]\nstrategy: inplace\n|');
    assert.ok(found.includes('delete'));
    assert.ok(!found.includes('keep_releases'));
    const inherited = labels('[DEFAULT]\nstrategy: inplace\n[a]\n|');
    assert.ok(inherited.includes('overwrite_newer'));
  });

  const sections: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['[goal x]\n|', ['type', 'retries', 'optional'], ['command', 'server']],
    ['[goal x]\ntype: shell\n|', ['command', 'timeout'], ['type', 'url']],
    ['[goal x]\ntype: http_ok\n|', ['url', 'status'], ['command']],
    ['[process web]\n|', ['command', 'socket', 'restart'], ['server', 'url']],
    ['[vars]\n|', [], ['server', 'command']],
  ];
  for (const [text, yes, no] of sections)
    it(`knows the keys of ${JSON.stringify(text)}`, () => {
      const found = labels(text);
      for (const key of yes) assert.ok(found.includes(key), key);
      for (const key of no) assert.ok(!found.includes(key), key);
    });

  it('comes with doc, default and a delimiter', () => {
    const keep = complete('[a]\nkee|').find(({ label }) => label === 'keep_releases');
    assert.equal(keep?.detail, 'default: 5');
    assert.match(keep?.documentation ?? '', /finished releases are kept/);
    assert.equal(accepted('[a]\nkee|', 'keep_releases'), '[a]\nkeep_releases: ');
    assert.equal(accepted('[a]\nuser = x\nkee|', 'keep_releases'), '[a]\nuser = x\nkeep_releases = ');
    assert.equal(accepted('[a]\nexc|\n', 'exclude'), '[a]\nexclude:\n    \n');
    assert.equal(accepted('[a]\nse|x: w\n', 'server'), '[a]\nserver: w\n');
  });

  it('offers names that %(name)s asks for', () => {
    assert.ok(labels('[a]\nproject_dir: /srv/%(site)s\n|').includes('site'));
  });

  it('offers nothing in comments', () => {
    assert.deepEqual(labels('[a]\n# ser|\n'), []);
    assert.deepEqual(labels('[a]\nserver:\n  a\n  ; b|\n'), []);
  });
});

describe('completion of section headers', () => {
  it('offers sections that are not there yet', () => {
    assert.deepEqual(labels('[|').slice(0, 3), ['[DEFAULT]', '[production]', '[staging]']);
    assert.ok(!labels('[DEFAULT]\n[production]\n[|').includes('[production]'));
    assert.ok(!labels('[DEFAULT]\n[production]\n[|').includes('[DEFAULT]'));
  });

  it('writes the bracket where it lacks', () => {
    assert.equal(accepted('[|', '[vars]'), '[vars]');
    assert.equal(accepted('[va|]', '[vars]'), '[vars]');
    assert.equal(accepted('[|]', '[vars]'), '[vars]');
    assert.equal(accepted('[a]\nuser: x\n[|]\n', '[vars]'), '[a]\nuser: x\n[vars]\n');
    assert.equal(accepted('va|', '[vars]'), '[vars]');
  });

  it('knows goals and processes that stages name', () => {
    const text = '[a]\npipeline: tested, deploy\nprocesses: web\n[|';
    assert.ok(labels(text).includes('[goal tested]'));
    assert.ok(labels(text).includes('[process web]'));
    assert.ok(!labels(text).includes('[goal deploy]'));
  });
});

describe('completion of values', () => {
  const cases: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ['booleans', 'submodules: |', ['yes', 'no'], ['env!']],
    ['an enum', 'strategy: |', ['releases', 'inplace'], ['yes']],
    ['an enum that is being written', 'writable_mode: ch|', ['acl', 'chmod', 'chgrp'], []],
    [
      'branches, tags and those of remotes',
      'branch: |',
      ['main', 'develop', 'release/2', 'v1.0', 'env!'],
      [],
    ],
    ['remotes', 'remote: |', ['origin', 'fork'], []],
    ['URLs of remotes', 'repository: |', ['.', 'https://github.com/example/shop.git'], []],
    ['hosts', 'server: |', ['web1', 'web2', 'local'], []],
    ['hosts that are not listed yet', 'server: web1, |', ['web2'], ['web1']],
    ['hosts on continuation lines', 'server:\n    web2\n    |', ['web1'], ['web2']],
    ['hosts after a user', 'server: deploy@|', ['web1'], ['local']],
    ['key files', 'ssh_identity: |', ['~/.ssh/id_ed25519'], []],
    ['folders', 'shared_dirs: |', ['storage', 'public'], ['README.md']],
    ['folders below', 'shared_dirs: public/|', ['public/css'], ['storage', 'public/index.php']],
    ['files', 'shared_files: |', ['README.md', 'public/'], []],
    ['files below', 'shared_files:\n  public/|', ['public/index.php', 'public/css/'], ['README.md']],
    ['patterns', 'exclude: |', ['/README.md', '/public/'], ['README.md']],
    ['patterns below', 'exclude: /public/|', ['/public/css/', '/public/index.php'], []],
    ['a folder of the tree', 'sub_directory: |', ['public', 'dist'], ['README.md']],
    ['goals', 'pipeline: |\n[goal tested]\ntype: shell', ['deploy', 'tested'], []],
    ['processes', 'processes: |\n[process web]\ncommand: x', ['web'], []],
    ['a number', 'keep_releases: |', ['5', '10'], []],
    ['a duration', 'connect_timeout: |', ['15s'], []],
    ['what a hook may start with', 'after_symlink: |', ['local! ', 'once! ', 'sh!'], []],
    ['what runs here anyway', 'before_deploy: |', ['env!'], ['local! ', 'once! ']],
    ['roles', 'release_role: |\nserver: web1 [web], db1 [db worker]', ['web', 'db', 'worker'], []],
    ['roles for a hook', 'server: web1 [web]\nafter_symlink: |', ['on web! '], ['on db! ']],
    ['roles of a process', 'server: web1 [web]\n[process w]\nroles: |', ['web'], []],
    ['variables', 'branch: var!|\n[vars]\nref: x\nmore: y', ['ref', 'more'], ['main']],
    ['variables of the environment', 'branch: env!|', ['HOME', 'PATH'], []],
    ['secrets that the file uses elsewhere', 'env: A=secret!|\nuser: secret!login', ['login'], []],
    ['references', 'project_dir: /srv/%(|', ['user', 'base'], ['project_dir']],
    ['references that are closed', 'project_dir: /srv/%(b|)s', ['user', 'base'], []],
  ];
  for (const [name, line, yes, no] of cases)
    it(`offers ${name}`, () => {
      const found = labels(
        `[DEFAULT]\nbase: x\n[a]\n${name.startsWith('references') ? 'user: u\n' : ''}${line}`,
      );
      for (const label of yes) assert.ok(found.includes(label), `${label} is not in ${found.join(' ')}`);
      for (const label of no) assert.ok(!found.includes(label), label);
    });

  it('knows goal types', () => {
    assert.ok(labels('[goal x]\ntype: |').includes('git_tag_exists'));
    assert.ok(labels('[process x]\nrestart: |').includes('on-failure'));
    assert.ok(labels('[process x]\nsocket: |').includes('yes'));
    assert.ok(labels('[process x]\ntimer: |').includes('OnCalendar=daily'));
    assert.ok(!labels('[a]\nsocket: |').includes('yes'));
    assert.ok(labels('[goal x]\ntype: git_ref_pushed\nref: |').includes('main'));
  });

  it('offers nothing for an empty continuation line at the start of the line', () => {
    assert.ok(labels('[a]\nserver:\n  x\n|').includes('branch'));
  });

  const edits: readonly (readonly [string, string, string])[] = [
    ['[a]\nbranch: ma|', 'main', '[a]\nbranch: main'],
    ['[a]\nbranch: ma|ster', 'main', '[a]\nbranch: main'],
    ['[a]\nserver: web1, we|', 'web2', '[a]\nserver: web1, web2'],
    ['[a]\nserver: deploy@we|', 'web2', '[a]\nserver: deploy@web2'],
    ['[a]\nexclude: te|, x', '/public/', '[a]\nexclude: /public/, x'],
    ['[a]\nproject_dir: /a/%(|\nuser: x', 'user', '[a]\nproject_dir: /a/%(user)s\nuser: x'],
    ['[a]\nproject_dir: /a/%(|)\nuser: x', 'user', '[a]\nproject_dir: /a/%(user)s\nuser: x'],
    ['[a]\nproject_dir: /a/%(|)s\nuser: x', 'user', '[a]\nproject_dir: /a/%(user)s\nuser: x'],
    ['[a]\nproject_dir: /a/%(us|er)s/b\nuser: x', 'user', '[a]\nproject_dir: /a/%(user)s/b\nuser: x'],
    ['[a]\nshared_dirs:\n  100|', '100%', '[a]\nshared_dirs:\n  100%%'],
    ['[a]\nenv: TOKEN=|', 'secret!', '[a]\nenv: TOKEN=secret!'],
  ];
  for (const [text, label, expected] of edits)
    it(`writes ${label} into ${JSON.stringify(text)}`, () => {
      assert.equal(accepted(text, label), expected);
    });

  it('does not offer names that would mean something else there', () => {
    assert.ok(!labels('[a]\nshared_files: |').includes('odd,name.txt'));
    assert.ok(labels('[a]\nshared_files:\n  |').includes('odd,name.txt'));
    assert.ok(!labels('[a]\nshared_files:\n  |').includes('#notes'));
    assert.ok(labels('[a]\nshared_files: |').includes('#notes'));
  });

  it('counts paths from sub_directory', () => {
    const found = labels('[a]\nsub_directory: public\nexclude: |');
    assert.deepEqual(
      found.filter((label) => label.startsWith('/')),
      ['/index.php', '/css/'],
    );
  });

  it('works with nothing known of the project', () => {
    assert.deepEqual(
      labels('[a]\nbranch: |', {}).filter((label) => !label.endsWith('!')),
      [],
    );
  });

  it('offers only values that validation accepts', () => {
    for (const [key, spec] of Object.entries(OPTIONS)) {
      if (spec.kind !== 'enum' && spec.kind !== 'bool' && spec.kind !== 'number' && spec.kind !== 'duration')
        continue;
      for (const { label, kind } of complete(`[a]\n${key}: |`)) {
        if (kind === 'resolver') continue;
        const problems = validate(parseConf(`[a]\n${key}: ${label}\n`), 'a');
        assert.ok(!problems.some(({ code }) => code === 'wrong-value'), `${key}: ${label}`);
      }
    }
  });
});

describe('snippets', () => {
  const snippets = (text: string): readonly string[] =>
    complete(text).flatMap(({ kind, label }) => (kind === 'snippet' ? [label] : []));

  it('are offered where a line starts', () => {
    assert.ok(snippets('|').includes('Whole file'));
    for (const text of ['[a]\n|', '[a]\nserver: x\n|', '[a]\nserver:\n  x\nhea|\n'])
      for (const name of ['Stage', 'Health check', 'Goal']) assert.ok(snippets(text).includes(name), text);
  });

  it('are not offered in values, comments, headers and keys that are there', () => {
    for (const text of ['branch: |', 'branch: ma|', 'server:\n  |', 'server:\n  x\n  |', '# |', 'ser|ver: x'])
      assert.deepEqual(snippets(`[a]\n${text}\n`), [], text);
    assert.deepEqual(snippets('[|'), []);
  });

  it('are offered only where they belong, and bring no key that is there', () => {
    assert.ok(!snippets('[goal t]\n|').includes('Health check'));
    assert.ok(!snippets('[vars]\n|').includes('Shared paths'));
    assert.ok(!snippets('[a]\n|').includes('Whole file'));
    assert.ok(!snippets('[a]\nhealth_check: x\n|').includes('Health check'));
    assert.ok(!snippets('[vars]\nx: y\n[a]\n|').includes('Variables'));
  });
});
