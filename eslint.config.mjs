import tseslint from 'typescript-eslint';

/** What each folder of src may import besides itself; `src/errors.ts`, `src/format.ts`, `src/platform.ts` and `src/printable.ts` may be imported by all. */
const directions = {
  config: [],
  transfer: ['config', 'remote'],
  remote: ['config'],
  git: ['config'],
  engine: ['config', 'transfer', 'remote', 'git'],
  report: ['config', 'engine'],
  agents: ['config', 'engine', 'report'],
  cli: ['config', 'transfer', 'remote', 'git', 'engine', 'report', 'agents'],
  language: ['config', 'git', 'transfer', 'editor'],
  views: ['config', 'engine', 'report', 'editor'],
  commands: ['config', 'git', 'engine', 'engineProcess', 'agents', 'report', 'remote', 'views', 'editor'],
  editor: ['config', 'git', 'remote', 'engine', 'engineProcess', 'report'],
  engineProcess: ['config', 'git', 'remote', 'engine', 'agents'],
};
const folders = Object.keys(directions);
const editorFolders = ['language', 'views', 'commands', 'editor'];

export default tseslint.config(
  { ignores: ['dist/', '.vscode-test/', '.cache/', '.demo/'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
    },
  },
  ...folders.map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: editorFolders.includes(folder)
            ? []
            : [{ name: 'vscode', message: `src/${folder} must run without an editor.` }],
          patterns: folders
            .filter((other) => other !== folder && !directions[folder].includes(other))
            .map((other) => ({
              regex: `^(\\.\\./)+${other}/`,
              message: `Imports go one way: src/${folder} may not import src/${other} (docs/architecture.md).`,
            })),
        },
      ],
    },
  })),
  {
    files: ['test/**/*.ts', 'scripts/**/*.{ts,mjs}', '*.mjs'],
    rules: { 'no-console': 'off', 'no-restricted-exports': 'off' },
  },
);
