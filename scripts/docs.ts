/** Writes what is generated from the option table: docs/configuration.md, and the table between the marks of the README. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { configurationReference, optionTable } from '../src/config/generate/reference.ts';

const REFERENCE = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));
const README = fileURLToPath(new URL('../README.md', import.meta.url));
const MARKED = /(<!-- options -->\n)[\s\S]*?(<!-- \/options -->)/;

/** Each generated file with the text that it ought to have. */
export async function generatedDocs(): Promise<ReadonlyMap<string, string>> {
  const readme = await readFile(README, 'utf8');
  const table = `\n${optionTable()}\n\n`;
  const texts = [
    [REFERENCE, configurationReference()],
    [README, readme.replace(MARKED, (_, open: string, close: string) => open + table + close)],
  ] as const;
  const formatted = texts.map(async ([path, text]) => {
    const style = await resolveConfig(path);
    return [path, await format(text, { ...style, parser: 'markdown' })] as const;
  });
  return new Map(await Promise.all(formatted));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of await generatedDocs()) await writeFile(path, text);
