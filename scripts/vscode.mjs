// A real VS Code without a desktop or a download: `code-server` from the npm registry holds VS Code's server and web workbench.
// `node scripts/vscode.mjs [oldest|newest]` makes what is missing of `.vscode-test/`; the tests import `provideVsCode`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The oldest VS Code that package.json admits, and the newest there is: package, VS Code's own version, Node it runs on. */
export const releases = {
  oldest: { codeServer: '4.100.3', vscode: '1.100.3', node: '20' },
  newest: { codeServer: '4.139.1', vscode: '1.139.1', node: '24' },
};

/**
 * Makes the release if it is missing, and says where it is.
 * @param {'oldest' | 'newest'} age
 * @returns {Promise<{ version: string, main: string, node: string }>} VS Code's version, its server's main file, the Node to run it with.
 */
export async function provideVsCode(age) {
  const release = releases[age];
  const folder = resolve(import.meta.dirname, '..', '.vscode-test', release.codeServer);
  if (!(await isComplete(folder, release))) await make(folder, release);
  return {
    version: release.vscode,
    main: join(codeFolder(folder), 'out', 'server-main.js'),
    node: join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
  };
}

function codeFolder(folder) {
  return join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
}

async function isComplete(folder, release) {
  return (await readFile(join(folder, 'complete'), 'utf8').catch(() => '')) === stamp(release);
}

function stamp({ codeServer, node }) {
  return `code-server ${codeServer}, node ${node}, logger, ripgrep\n`;
}

/** Made under another name and renamed when it is whole, so that two at once and a cancelled one do no harm. */
async function make(folder, release) {
  console.error(`setup: VS Code ${release.vscode} into ${folder} (about 15 s)`);
  const making = `${folder}.${process.pid}`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  try {
    // Without a package.json of its own npm would install into the nearest folder above that has one.
    await writeFile(join(making, 'package.json'), '{ "private": true }\n');
    await npm(making, ['install', '--ignore-scripts', `code-server@${release.codeServer}`]);
    // Its install script puts the platform's binary in place, so this one may run it.
    await npm(making, ['install', `node@${release.node}`]);
    await npm(codeFolder(making), ['install', '--omit=dev', '--ignore-scripts']);
    await npm(join(codeFolder(making), 'extensions'), ['install', '--omit=dev', '--ignore-scripts']);
    const logger = join(codeFolder(making), 'node_modules', '@vscode', 'spdlog', 'index.js');
    await copyFile(join(import.meta.dirname, 'vscode.spdlog.cjs'), logger);
    await provideRipgrep(making);
    await writeFile(join(making, 'complete'), stamp(release));
    if (await isComplete(folder, release)) return;
    await rm(folder, { recursive: true, force: true });
    await rename(making, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** VS Code searches by ripgrep. Newer releases bring its binaries; older ones download it from GitHub when they are installed. */
async function provideRipgrep(making) {
  const wanted = join(codeFolder(making), 'node_modules', '@vscode', 'ripgrep');
  if (!existsSync(wanted)) return;
  await npm(making, ['install', '--ignore-scripts', '@vscode/ripgrep-universal@1.18.0']);
  const binary = process.platform === 'win32' ? 'rg.exe' : 'rg';
  const universal = join(making, 'node_modules', '@vscode', 'ripgrep-universal');
  await mkdir(join(wanted, 'bin'), { recursive: true });
  await copyFile(
    join(universal, 'bin', `${process.platform}-${process.arch}`, binary),
    join(wanted, 'bin', binary),
  );
  await rm(universal, { recursive: true, force: true });
}

function npm(directory, args) {
  if (!existsSync(join(directory, 'package.json'))) throw new Error(`${directory} has no package.json.`);
  const windows = process.platform === 'win32';
  const env = {
    // Run from an npm script, npm would take that script's project and settings for its own.
    ...Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(npm_(?!config_registry$)|INIT_CWD$|NODE_ENV$)/i.test(name),
      ),
    ),
    // npm would keep compiled code in the folder for temporary files.
    NODE_DISABLE_COMPILE_CACHE: '1',
  };
  return new Promise((done, fail) => {
    const child = spawn(
      windows ? 'npm.cmd' : 'npm',
      [...args, '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: directory,
        env,
        shell: windows,
        stdio: ['ignore', 2, 2],
      },
    );
    child.on('error', fail);
    child.on('exit', (status) =>
      status === 0 ? done() : fail(new Error(`npm ${args.join(' ')} in ${directory} ended with ${status}.`)),
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wanted = process.argv[2];
  for (const age of wanted === undefined ? Object.keys(releases) : [wanted]) {
    const { version, main } = await provideVsCode(age);
    console.log(`VS Code ${version}: ${main}`);
  }
}
