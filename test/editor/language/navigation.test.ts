import assert from 'node:assert/strict';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { untranslated } from '../../../src/language/languageFacts.ts';
import { applyEdits } from '../../../src/language/formatDocument.ts';
import { definitionsAt, referencesAt } from '../../../src/language/navigation.ts';
import { prepareRename, renameEdits } from '../../../src/language/rename.ts';
import { rawConfig } from '../../../src/config/values/stage.ts';
import { marked } from './marked.ts';

/** Line and text of each place, lines from 1. */
function places(
  text: string,
  found: readonly { readonly start: number; readonly end: number }[],
): readonly string[] {
  return found.map(
    ({ start, end }) => `${String(text.slice(0, start).split('\n').length)}:${text.slice(start, end)}`,
  );
}

function definitions(text: string): readonly string[] {
  const { doc, offset } = marked(text);
  return places(doc.text, definitionsAt(doc, offset)?.targets ?? []);
}

function references(text: string, includeDeclaration: boolean): readonly string[] {
  const { doc, offset } = marked(text);
  return places(doc.text, referencesAt(doc, offset, { includeDeclaration }));
}

describe('go to definition', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['a key of the section', '[DEFAULT]\nx: 1\n[a]\nx: 2\ny: %(x|)s', ['4:x']],
    ['a key of DEFAULT', '[DEFAULT]\nx: 1\n[a]\ny: %(|x)s', ['2:x']],
    ['from DEFAULT, also the stages that set it', '[DEFAULT]\nx: 1\ny: %(x|)s\n[a]\nx: 2', ['2:x', '5:x']],
    ['a variable', '[a]\nuser: var!na|me\n[vars]\nname: 1', ['4:name']],
    ['a variable in a list', '[a]\nserver:\n  web1\n  var!na|me\n[vars]\nname: 1', ['6:name']],
    ['a variable in env', '[a]\nenv: A=1, B=var!na|me\n[vars]\nname: 1', ['4:name']],
    ['a variable after once!', '[a]\nafter_lock: once! var!na|me\n[vars]\nname: 1', ['4:name']],
    ['a goal', '[a]\npipeline: deploy, te|st?\n[goal test]\ntype: shell', ['3:test']],
    ['a process', '[a]\nprocesses: w|eb\n[process web]\n', ['3:web']],
    ['names in any case', '[a]\nUSER: 1\nx: %(U|ser)s', ['2:USER']],
    ['the right one of two on a line', '[a]\nx: 1\ny: 2\nz: %(x)s%(y|)s', ['3:y']],
    ['nothing where there is nothing', '[a]\nx: pl|ain', []],
    ['nothing where it is unknown', '[a]\nx: %(no|)s', []],
    ['names in continuation lines', '[a]\nu: 1\nserver:\n    a\n    %(u|)s', ['2:u']],
  ];
  for (const [name, text, expected] of cases)
    it(`finds ${name}`, () => {
      assert.deepEqual(definitions(text), expected);
    });
});

describe('references', () => {
  it('are found from the definition and from a use', () => {
    const text = '[DEFAULT]\nx: 1\n[a]\ny: %(x)s\n[b]\nz: %(X)s %(x)s';
    const uses = ['4:x', '6:X', '6:x'];
    assert.deepEqual(references(text.replace('x: 1', '|x: 1'), false), uses);
    assert.deepEqual(references(text.replace('y: %(x', 'y: %(|x'), true), ['2:x', '4:x']);
  });

  it('of variables go across the file', () => {
    assert.deepEqual(references('[vars]\nv|: 1\nw: %(v)s\n[a]\nuser: var!v\n', true), ['2:v', '3:v', '5:v']);
  });

  it('of goals are pipelines', () => {
    assert.deepEqual(references('[goal t|]\n[a]\npipeline: t\n[b]\npipeline: x, t?', false), ['3:t', '5:t']);
  });
});

function renamed(text: string, name: string): string {
  const { doc, offset } = marked(text);
  const result = renameEdits(doc, offset, name, untranslated);
  return result.refused === undefined ? applyEdits(doc.text, result.edits) : `refused: ${result.refused}`;
}

describe('rename', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      'a stage',
      '[pro|d]\nserver: x\n[prod]\nuser: y',
      'live site',
      '[live site]\nserver: x\n[live site]\nuser: y',
    ],
    [
      'a key and its uses',
      '[DEFAULT]\nsite: x\n[a]\nuser: %(si|te)s%(SITE)s',
      'nick',
      '[DEFAULT]\nnick: x\n[a]\nuser: %(nick)s%(nick)s',
    ],
    [
      'a variable and its uses',
      '[vars]\nv|: 1\nw: %(v)s\n[a]\nuser: var!v\nenv: A=var!v',
      'x',
      '[vars]\nx: 1\nw: %(x)s\n[a]\nuser: var!x\nenv: A=var!x',
    ],
    ['a goal', '[a]\npipeline: t, u?\n[goal u|]\n', 'v', '[a]\npipeline: t, v?\n[goal v]\n'],
    [
      'a process',
      '[a]\nprocesses:\n  w|eb\n[process web]\n',
      'site',
      '[a]\nprocesses:\n  site\n[process site]\n',
    ],
  ];
  for (const [name, text, to, expected] of cases)
    it(`gives ${name} another name`, () => {
      assert.equal(renamed(text, to), expected);
    });

  it('keeps the values of all other keys', () => {
    const text =
      '[DEFAULT]\nsite: x\nbase: /srv/%(site)s\n[a]\nsi|te: y\nproject_dir: %(base)s\n[b]\nproject_dir: %(base)s/%(site)s\n';
    const before = rawConfig(marked(text).doc);
    const after = rawConfig(parseConf(renamed(text, 'other')));
    for (const [section, values] of Object.entries(before.sections))
      for (const [key, value] of Object.entries(values))
        assert.equal(after.sections[section]?.[key === 'site' ? 'other' : key], value);
  });

  const refusals: readonly (readonly [string, string, string])[] = [
    ['options of Durant', '[a]\nser|ver: x', 'y'],
    ['options by reference', '[a]\nuser: x\nproject_dir: /%(us|er)s', 'y'],
    ['names that are options', '[a]\nsi|te: x\nuser: %(site)s', 'branch'],
    ['names that are taken', '[a]\nsi|te: x\nother: y\nuser: %(site)s%(other)s', 'other'],
    ['names of stages that are taken', '[a|]\n[b]\n', 'b'],
    ['a stage called like another section', '[a|]\n', 'goal x'],
    ['a stage called DEFAULT', '[a|]\n', 'DEFAULT'],
    ['a stage with a bracket', '[a|]\n', 'a]b'],
    ['a goal called deploy', '[goal a|]\n', 'deploy'],
    ['names that would break the line', '[a]\nsi|te: x\nuser: %(site)s', 'a=b'],
    ['the variable version', '[vars]\nver|sion: 1', 'v'],
    ['DEFAULT', '[DEF|AULT]\n', 'x'],
    ['plain text', '[a]\nuser: pl|ain\n', 'x'],
  ];
  for (const [name, text, to] of refusals)
    it(`refuses ${name}`, () => {
      assert.match(renamed(text, to), /^refused: .+\.$/);
    });

  it('says what would be renamed', () => {
    const { doc, offset } = marked('[a]\nx1: 1\nuser: %(X|1)s');
    assert.deepEqual(prepareRename(doc, offset, untranslated), { range: { start: 18, end: 20 }, name: 'X1' });
  });
});
