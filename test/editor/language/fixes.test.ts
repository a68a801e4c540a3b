import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import type { ProblemCode } from '../../../src/config/syntax/problemCodes.ts';
import { validate } from '../../../src/config/rules/validate.ts';
import { createHides } from '../../../src/transfer/tree/hiddenPaths.ts';
import { untranslated, type ProjectNames } from '../../../src/language/languageFacts.ts';
import { fixesFor } from '../../../src/language/fixes.ts';
import { applyEdits } from '../../../src/language/formatDocument.ts';
import { fileState, keyFiles, localPath } from '../../../src/language/machine.ts';
import { sshHosts } from '../../../src/editor/sshHosts.ts';
import { projectFactsFor } from '../../../src/language/projectValidation.ts';
import { STAGE, theProblem } from './marked.ts';

function fixed(text: string, code: ProblemCode, title: string): string {
  const doc = parseConf(text);
  const fixes = fixesFor(doc, theProblem(doc, code), {}, untranslated);
  const fix = fixes.find((each) => each.title === title);
  assert.ok(fix, `${title} is not among: ${fixes.map((each) => each.title).join(' | ')}`);
  return applyEdits(text, fix.edits);
}

describe('quick fixes', () => {
  const cases: readonly (readonly [ProblemCode, string, string, string])[] = [
    ['unknown-key', `${STAGE}brnch: main\n`, 'Change to "branch"', `${STAGE}branch: main\n`],
    ['unknown-key', `${STAGE}zzzzzz:\n  a\n  b\n`, 'Remove "zzzzzz"', STAGE],
    ['wrong-value', `${STAGE}transfer: rsnc\n`, 'Change to "rsync"', `${STAGE}transfer: rsync\n`],
    ['duplicate-key', `${STAGE}user: a\nuser: b\n`, 'Remove this one', `${STAGE}user: a\n`],
    ['lone-percent', `${STAGE}user: a%\n`, 'Write %%', `${STAGE}user: a%%\n`],
    [
      'missing-key',
      '[a]\nrepository: .\nserver: x\n',
      'Add "project_dir"',
      '[a]\nproject_dir: /var/www/shop\nrepository: .\nserver: x\n',
    ],
    [
      'wrong-strategy',
      `${STAGE}delete: yes\n`,
      'Set strategy: inplace',
      `${STAGE}strategy: inplace\ndelete: yes\n`,
    ],
    [
      'wrong-strategy',
      `${STAGE}strategy: releases\ndelete: yes\n`,
      'Set strategy: inplace',
      `${STAGE}strategy: inplace\ndelete: yes\n`,
    ],
    [
      'wrong-strategy',
      `${STAGE}strategy: inplace\nspare: yes\n`,
      'Set strategy: releases',
      `${STAGE}strategy: releases\nspare: yes\n`,
    ],
    ['wrong-strategy', `${STAGE}delete: yes\n`, 'Remove "delete"', STAGE],
    [
      'duplicate-server',
      '[a]\nrepository: .\nserver: x, y, x\nproject_dir: /a/b\n',
      'Remove "x"',
      '[a]\nrepository: .\nserver: x, y\nproject_dir: /a/b\n',
    ],
    [
      'duplicate-server',
      '[a]\nrepository: .\nproject_dir: /a/b\nserver:\n  x\n  x\n  y',
      'Remove "x"',
      '[a]\nrepository: .\nproject_dir: /a/b\nserver:\n  x\n  y',
    ],
    [
      'duplicate-goal',
      `${STAGE}pipeline: t, deploy, t?\n[goal t]\ntype: shell\ncommand: x\n`,
      'Remove "t?"',
      `${STAGE}pipeline: t, deploy\n[goal t]\ntype: shell\ncommand: x\n`,
    ],
    ['optional-deploy', `${STAGE}pipeline: deploy?\n`, 'Change to "deploy"', `${STAGE}pipeline: deploy\n`],
    [
      'duplicate-process',
      `${STAGE}processes:\n  w\n  w\n[process w]\ncommand: x\n`,
      'Remove "w"',
      `${STAGE}processes:\n  w\n[process w]\ncommand: x\n`,
    ],
    ['nested-path', `${STAGE}shared_dirs:\n  a\n  a/b`, 'Remove "a/b"', `${STAGE}shared_dirs:\n  a`],
    [
      'undefined-var',
      `${STAGE}user: var!me\n`,
      'Add "me" to [vars]',
      `[vars]\nme: \n\n${STAGE}user: var!me\n`,
    ],
    [
      'undefined-var',
      `[vars]\nx: 1\n${STAGE}user: var!me\n`,
      'Add "me" to [vars]',
      `[vars]\nme: \nx: 1\n${STAGE}user: var!me\n`,
    ],
    [
      'undefined-var',
      `[vars]\nlogin: 1\n${STAGE}user: var!logn\n`,
      'Change to "var!login"',
      `[vars]\nlogin: 1\n${STAGE}user: var!login\n`,
    ],
    ['interpolation-unknown', `${STAGE}user: %(me)s\n`, 'Add the key "me"', `${STAGE}me: \nuser: %(me)s\n`],
    [
      'unknown-goal',
      `${STAGE}pipeline: deploy, tagged?\n`,
      'Add [goal tagged]',
      `${STAGE}pipeline: deploy, tagged?\n\n[goal tagged]\ntype: shell\n`,
    ],
    [
      'unknown-process',
      `${STAGE}processes: web\n`,
      'Add [process web]',
      `${STAGE}processes: web\n\n[process web]\ncommand: .venv/bin/gunicorn shop.wsgi\n`,
    ],
    [
      'no-stage',
      '[DEFAULT]\nrepository: .\n',
      'Add [production]',
      '[DEFAULT]\nrepository: .\n\n[production]\nserver: web1.example.com\nproject_dir: /var/www/shop\n',
    ],
    ['no-section', 'user: x\n', 'Insert [production] above', '[production]\nuser: x\n'],
    ['unclosed-section', '[a\n', 'Close the section name', '[a]\n'],
    ['no-delimiter', `${STAGE}branch\n`, 'Write ":" after it', `${STAGE}branch:\n`],
    ['text-after-section', '[a] b\n', 'Remove the ignored text', '[a]\n'],
  ];
  for (const [code, text, title, expected] of cases)
    it(`${code}: ${title}`, () => {
      const result = fixed(text, code, title);
      assert.equal(result, expected);
      // The very problem is gone from where it was, or at least not more of it is there.
      const count = (each: string): number =>
        validate(parseConf(each), undefined).filter((found) => found.code === code).length;
      assert.ok(count(result) < count(text) || code === 'no-section', 'it is still there');
    });

  it('keeps CRLF', () => {
    const text = STAGE.replaceAll('\n', '\r\n');
    assert.equal(
      fixed(`${text}delete: yes\r\n`, 'wrong-strategy', 'Set strategy: inplace'),
      `${text}strategy: inplace\r\ndelete: yes\r\n`,
    );
  });

  it('restricts a key', () => {
    const doc = parseConf(`${STAGE}ssh_identity: ~/.ssh/key\n`);
    const facts = projectFactsFor({
      project: undefined,
      excludes: undefined,
      identity: () => ({ exists: true, mode: 0o644 }),
    });
    const [found] = validate(doc, undefined, facts).filter(({ code }) => code === 'identity-permissions');
    assert.ok(found);
    const [fix] = fixesFor(doc, found, {}, untranslated);
    assert.deepEqual(fix, {
      title: 'Run chmod 600 on ~/.ssh/key',
      edits: [],
      chmod: '~/.ssh/key',
      preferred: true,
    });
  });

  it('prefers at most one', () => {
    for (const [code, text] of cases) {
      const doc = parseConf(text);
      const preferred = fixesFor(doc, theProblem(doc, code), {}, untranslated).filter((fix) => fix.preferred);
      assert.ok(preferred.length <= 1);
    }
  });
});

const PROJECT: ProjectNames = {
  branch: 'main',
  branches: ['main', 'local-only'],
  remoteBranches: [{ remote: 'origin', branch: 'main' }],
  tags: ['v1'],
  remotes: [{ name: 'origin', url: 'https://example.com/shop.git' }],
  trackedPaths: ['src/a.ts', 'docs/b.md', 'public/index.html'],
};

function codesWith(text: string, project: ProjectNames | undefined = PROJECT): readonly string[] {
  const facts = projectFactsFor({ project, excludes: createHides(), identity: undefined });
  return validate(parseConf(text), undefined, facts).map(
    ({ code, range }) => `${code} ${text.slice(range.start, range.end)}`,
  );
}

describe('validation with the project', () => {
  const remote = STAGE.replace('repository: .', 'repository: https://example.com/shop');
  const foreign = STAGE.replace('repository: .', 'repository: https://example.com/other');
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['a branch that is there', `${STAGE}branch: local-only\n`, []],
    ['a tag', `${STAGE}branch: v1\n`, []],
    ['a branch that is not there', `${STAGE}branch: mian\n`, ['unknown-branch mian']],
    ['a branch that was not pushed', `${remote}branch: local-only\n`, ['unknown-branch local-only']],
    ['a branch of another project', `${foreign}branch: what\n`, []],
    ['a pattern that matches', `${STAGE}exclude: /docs, *.ts\n`, []],
    ['a pattern that matches nothing', `${STAGE}exclude: /dcs, *.ts\n`, ['exclude-matches-nothing /dcs']],
    ['a pattern of another branch', `${STAGE}branch: v1\nexclude: /dcs\n`, []],
    [
      'a pattern below sub_directory',
      `${STAGE}sub_directory: public\nexclude: /index.html, /docs\n`,
      ['exclude-matches-nothing /docs'],
    ],
    ['build output', `${STAGE}sub_directory: dist\nexclude: /whatever\n`, []],
    [
      'a shared path that is hidden',
      `${STAGE}exclude: docs\nshared_dirs: docs/media\n`,
      ['excluded-path docs/media'],
    ],
  ];
  for (const [name, text, expected] of cases)
    it(`judges ${name}`, () => {
      assert.deepEqual(codesWith(text), expected);
    });

  it('says once what stages inherit', () => {
    const stages = ['a', 'b'].map((name) => STAGE.replace('production', name).replace('shop', name)).join('');
    assert.deepEqual(codesWith(`[DEFAULT]\nexclude: /dcs\n${stages}`), ['exclude-matches-nothing /dcs']);
  });

  it('offers the branch that was meant', () => {
    const doc = parseConf(`${STAGE}branch: mian\n`);
    const facts = projectFactsFor({ project: PROJECT, excludes: undefined, identity: undefined });
    const [found] = validate(doc, undefined, facts);
    assert.ok(found);
    const [fix] = fixesFor(doc, found, { project: PROJECT }, untranslated);
    assert.equal(fix?.title, 'Change to "main"');
  });
});

describe('what this machine knows', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-ssh-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('finds hosts of the ssh configuration and its includes, without patterns', async () => {
    mkdirSync(join(folder, 'conf.d'));
    writeFileSync(
      join(folder, 'config'),
      'Include conf.d/*.conf\nHost web1 web2 *.example !bad\n  User x\nHost *\n  Include more\nMatch exec "touch ran"\n',
    );
    writeFileSync(join(folder, 'conf.d/a.conf'), 'Host inner\n');
    writeFileSync(join(folder, 'conf.d/b.txt'), 'Host no\n');
    writeFileSync(join(folder, 'more'), 'host lower\ninclude more\n');
    assert.deepEqual(await sshHosts(folder), ['inner', 'web1', 'web2', 'lower']);
    assert.deepEqual(await sshHosts(join(folder, 'missing')), []);
  });

  it('finds private keys', async () => {
    for (const name of ['id_rsa', 'deploy', 'deploy.pub', 'config', 'known_hosts'])
      writeFileSync(join(folder, name), '');
    assert.deepEqual(await keyFiles(folder), ['~/.ssh/deploy', '~/.ssh/id_rsa']);
  });

  it('looks at files', async () => {
    const file = join(folder, 'key');
    writeFileSync(file, '');
    chmodSync(file, 0o640);
    assert.deepEqual(await fileState(file), { exists: true, isFolder: false, mode: 0o640 });
    assert.deepEqual(await fileState(join(folder, 'no')), { exists: false });
  });

  it('expands paths, but never to network shares', () => {
    const env = { HOME: '/home/me', KEYS: '/keys' };
    assert.equal(localPath('~/a', '/p', env), '/home/me/a');
    assert.equal(localPath('$KEYS/a', '/p', env), '/keys/a');
    assert.equal(localPath('${KEYS}/a', '/p', env), '/keys/a');
    assert.equal(localPath('a/b', '/p', env), '/p/a/b');
    assert.equal(localPath('//host/share', '/p', env), undefined);
    assert.equal(localPath('\\\\host\\share', '/p', env), undefined);
  });
});
