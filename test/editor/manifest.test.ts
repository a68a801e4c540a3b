import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { editorTools } from '../../src/agents/tools.ts';
import {
  commands,
  contextKeys,
  languageId,
  schemes,
  nodeCommands,
  settings,
  taskType,
  views,
} from '../../src/editor/ids.ts';

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
    }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when?: string }[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly scope?: string }>> };
    readonly taskDefinitions: readonly { readonly type: string }[];
    readonly languages: readonly { readonly id: string }[];
    readonly languageModelTools: readonly {
      readonly name: string;
      readonly modelDescription: string;
      readonly when: string;
      readonly inputSchema: object;
    }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly { readonly media: { readonly markdown: string } }[];
    }[];
  };
}

describe('package.json', () => {
  const text = readFileSync('package.json', 'utf8');
  const { contributes, activationEvents } = JSON.parse(text) as Manifest;
  const strings = JSON.parse(readFileSync('package.nls.json', 'utf8')) as Readonly<Record<string, string>>;
  const sorted = (names: Iterable<string>) => [...names].sort();

  it('declares the commands that the code has', () => {
    assert.deepEqual(
      sorted(contributes.commands.map(({ command }) => command)),
      sorted([...Object.values(commands), ...Object.values(nodeCommands)]),
    );
    for (const { category } of contributes.commands) assert.equal(category, 'Durant');
  });

  it('keeps commands that need a node of the tree out of the palette', () => {
    const hidden = (contributes.menus['commandPalette'] ?? []).filter(({ when }) => when === 'false');
    assert.deepEqual(sorted(hidden.map(({ command }) => command)), sorted(Object.values(nodeCommands)));
  });

  it('declares the views, settings, task and language that the code has', () => {
    assert.deepEqual(
      contributes.views[views.container]?.map(({ id }) => id),
      [views.stages, views.review, views.history],
    );
    const { section, ...keys } = settings;
    assert.deepEqual(
      sorted(Object.keys(contributes.configuration.properties)),
      sorted(Object.values(keys).map((key) => `${section}.${key}`)),
    );
    assert.deepEqual(
      contributes.taskDefinitions.map(({ type }) => type),
      [taskType],
    );
    assert.deepEqual(
      contributes.languages.map(({ id }) => id),
      [languageId],
    );
    for (const key of [settings.gitPath, settings.sshPath, settings.rsyncPath])
      assert.equal(contributes.configuration.properties[`${section}.${key}`]?.scope, 'machine');
  });

  it('declares the tools of agents that the code has, in trusted folders alone', () => {
    assert.deepEqual(
      contributes.languageModelTools.map(({ name, modelDescription, inputSchema }) => ({
        name,
        modelDescription,
        inputSchema,
      })),
      editorTools().map(({ name, description, inputSchema }) => ({
        name,
        modelDescription: description,
        inputSchema,
      })),
    );
    for (const { when } of contributes.languageModelTools)
      assert.equal(when, 'isWorkspaceTrusted && !virtualWorkspace');
  });

  it('is asked for by durant.conf and its language alone', () => {
    assert.deepEqual(activationEvents, [
      'workspaceContains:**/durant.conf',
      `onLanguage:${languageId}`,
      // Documents of its own, which a window that is loaded again opens once more.
      `onFileSystem:${schemes.commit}`,
      `onFileSystem:${schemes.server}`,
    ]);
  });

  it('mentions no context key that nothing sets', () => {
    const known = new Set<string>([
      ...Object.values(contextKeys),
      ...Object.values(views),
      ...Object.values(commands),
      ...Object.values(nodeCommands),
      ...Object.keys(contributes.configuration.properties),
    ]);
    const conditions = [...text.matchAll(/"(?:when|enablement)": "([^"]*)"/g)].map((match) => match[1] ?? '');
    for (const condition of conditions)
      for (const [name] of condition.matchAll(/durant\.\w+(\.\w+)*/g)) assert.ok(known.has(name), name);
  });

  it('has every string in package.nls.json, and none that is not used', () => {
    const used = new Set([...text.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1] ?? ''));
    assert.deepEqual(sorted(used), sorted(Object.keys(strings)));
  });

  it('names only files that are there', () => {
    const files = [...text.matchAll(/"(?:\.\/)?(media\/[^"]+)"/g)].map((match) => match[1] ?? '');
    assert.ok(files.length > 5);
    for (const file of files) assert.ok(existsSync(file), file);
    assert.equal(contributes.walkthroughs[0]?.steps.length, 4);
  });
});
