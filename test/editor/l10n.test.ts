/** What people read goes through VS Code's translation, the bundle has all of it, and translations fit. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { bundleText, readSources, type Message } from '../../scripts/l10n.ts';

type Texts = Readonly<Record<string, string>>;

function read(path: string): Texts {
  return JSON.parse(readFileSync(path, 'utf8')) as Texts;
}

/** `{0}`, and what durant.conf, Markdown or a menu reads: it means the same in every language. */
function fixedParts(text: string): readonly string[] {
  return (text.match(/\{\d+\}|\]\([^)]*\)|\*\*|`[^`]*`|%\([^)]*\)s|\b\w+![a-z]+|…$/g) ?? []).sort();
}

const placesOf = (messages: readonly Message[]): readonly string[] =>
  messages.map(({ place, text }) => `${place} ${text ?? ''}`);

describe('the texts of the extension', () => {
  const { messages, strays } = readSources();

  it('all go through t', () => {
    assert.deepEqual(placesOf(strays), []);
    assert.ok(messages.length > 200);
  });

  it('are written where they are used, so that they can be found', () => {
    assert.deepEqual(placesOf(messages.filter(({ text }) => text === undefined)), []);
  });

  it('have an argument for each of their places', () => {
    const wrong = messages.filter(({ text = '', arguments: count }) => {
      const places = new Set([...text.matchAll(/\{(\d+)\}/g)].map(([, index]) => Number(index)));
      const wanted = Array.from({ length: places.size }, (_, index) => index);
      return count !== undefined && (count !== places.size || !wanted.every((index) => places.has(index)));
    });
    assert.deepEqual(placesOf(wrong), []);
  });

  it('are those of the bundle: npm run l10n writes it', () => {
    assert.equal(readFileSync('l10n/bundle.l10n.json', 'utf8'), bundleText());
  });
});

describe('the translations', () => {
  const pairs = [
    ...readdirSync('l10n')
      .filter((name) => /^bundle\.l10n\..+\.json$/.test(name))
      .map((name) => [`l10n/${name}`, 'l10n/bundle.l10n.json'] as const),
    ...readdirSync('.')
      .filter((name) => /^package\.nls\..+\.json$/.test(name))
      .map((name) => [name, 'package.nls.json'] as const),
  ];

  it('are there', () => {
    const names = pairs.map(([name]) => name);
    assert.ok(names.includes('l10n/bundle.l10n.de.json'));
    assert.ok(names.includes('package.nls.de.json'));
  });

  for (const [path, originalPath] of pairs)
    it(`${path} has every text, with the places of the original`, () => {
      const original = read(originalPath);
      const translated = read(path);
      assert.deepEqual(Object.keys(translated).sort(), Object.keys(original).sort());
      for (const [key, text] of Object.entries(original)) {
        assert.notEqual(translated[key]?.trim(), '');
        assert.deepEqual(fixedParts(translated[key] ?? ''), fixedParts(text), key);
      }
    });

  it('of the walkthrough lie beside the original, where VS Code looks for them', () => {
    const pages = readdirSync('media/walkthrough').filter((name) => /^\w+\.md$/.test(name));
    assert.ok(pages.length > 0);
    for (const page of pages) assert.ok(existsSync(`media/walkthrough/${page.replace('.md', '.nls.de.md')}`));
  });
});
