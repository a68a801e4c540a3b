/** The import directions of docs/architecture.md, and no cycles: on the graph that the bundler sees, where types are gone. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

/** TypeScript files of a folder of src, with `/`. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

describe('imports between the files of src', () => {
  let graph: ReadonlyMap<string, readonly string[]>;
  before(async function () {
    const { metafile } = await build({
      entryPoints: sourcesIn('src'),
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'dist',
      platform: 'node',
      external: ['vscode', '*.node', 'cpu-features'],
      packages: 'external',
      logLevel: 'silent',
    });
    graph = new Map(
      Object.entries(metafile.inputs).map(([file, { imports }]) => [
        file,
        imports.filter((each) => each.external !== true).map((each) => each.path),
      ]),
    );
  });

  it('make no circle', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      const start = path.indexOf(file);
      assert.equal(start, -1, `circle: ${[...path.slice(start), file].join(' → ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
  });

  it('reach vscode from the editor folders only', () => {
    const editor = /^src\/(extension\.ts|language|views|commands|editor)/;
    const reaches = ['config', 'remote', 'git', 'transfer', 'engine', 'cli']
      .flatMap((folder) => sourcesIn(`src/${folder}`))
      .flatMap((file) =>
        (graph.get(file) ?? []).filter((next) => editor.test(next)).map((next) => `${file} → ${next}`),
      );
    assert.deepEqual(reaches, []);
  });
});
