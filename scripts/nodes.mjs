// npm run nodes: the demo, with the command line of dist/ run by each Node that it supports, in the ignored folder .cache/nodes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const versions = ['20', '22', '24'];

for (const version of versions) {
  const folder = resolve('.cache', 'nodes', version);
  const node = join(
    folder,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    run('npm', ['install', '--prefix', folder, '--no-save', '--no-package-lock', `node@${version}`]);
  }
  run(node, ['--version']);
  run(process.execPath, ['scripts/demo.mjs', join(folder, 'demo')], { DURANT_NODE: node });
}

function run(command, args, env = {}) {
  // npm is a batch file on Windows, which only a shell starts.
  const shell = command === 'npm' && process.platform === 'win32';
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell, env: { ...process.env, ...env } });
  if (status !== 0) process.exit(1);
}
