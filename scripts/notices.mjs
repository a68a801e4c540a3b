// The licences of what is bundled. `node esbuild.mjs` writes them to dist/, `npm run notices` to the file that is shipped.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {Iterable<string>} inputs paths of the files that went into the bundles, as esbuild's metafile has them.
 * @returns {string} each package once, by name and version, with its licence in full.
 * @throws {Error} where a package has no licence file.
 */
export function noticesOf(inputs) {
  const folders = new Set([...inputs].flatMap((path) => packageFolder(path) ?? []));
  const packages = [...folders].map(readPackage).sort((a, b) => (a.title < b.title ? -1 : 1));
  const unique = [...new Map(packages.map((each) => [each.title, each])).values()];
  const rule = '='.repeat(80);
  return [
    'Durant contains the following packages, each under the licence that follows its name.',
    ...unique.map(({ title, license, text }) => `${rule}\n${title} (${license})\n${rule}\n\n${text}`),
    '',
  ].join('\n\n');
}

function packageFolder(path) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function readPackage(folder) {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(each));
  const id = license ?? licenses?.[0]?.type;
  if (file === undefined || id === undefined)
    throw new Error(`${name} ${version} says no licence: find it, or bundle something else.`);
  const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim();
  return { title: `${name} ${version}`, license: id, text };
}
