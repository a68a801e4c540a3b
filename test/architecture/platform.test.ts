/** What differs between systems: each decision is in src/platform.ts, and those of every system are looked at here. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { localShell, nameKey, platformOf } from '../../src/platform.ts';

const windows = platformOf('win32');
const macos = platformOf('darwin');
const linux = platformOf('linux');
const latin1 = (name: string) => Buffer.from(name).toString('latin1');

describe('platform', () => {
  it('is asked for nowhere else', () => {
    const asking = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => /process\.platform\b/.test(readFileSync(join('src', name), 'utf8')));
    // The ssh configuration and compiled code are told the name.
    assert.deepEqual(asking.toSorted(), ['cli/compiledCode.ts', 'platform.ts', 'remote/sshSettings.ts']);
  });

  it('says where the user has folders', () => {
    assert.deepEqual(windows.userFolders({ LOCALAPPDATA: 'D:\\Local' }, 'C:\\Users\\ann'), {
      cacheDir: 'D:\\Local\\durant\\cache',
      stateDir: 'D:\\Local\\durant\\state',
    });
    assert.equal(
      windows.userFolders({}, 'C:\\Users\\ann').cacheDir,
      'C:\\Users\\ann\\AppData\\Local\\durant\\cache',
    );
    assert.deepEqual(macos.userFolders({}, '/Users/ann'), {
      cacheDir: '/Users/ann/Library/Caches/durant',
      stateDir: '/Users/ann/.local/state/durant',
    });
    assert.deepEqual(linux.userFolders({ XDG_CACHE_HOME: '/c', XDG_STATE_HOME: '' }, '/home/ann'), {
      cacheDir: '/c/durant',
      stateDir: '/home/ann/.local/state/durant',
    });
  });

  it('says where a local socket is: a pipe whose name nobody guesses, or a file in a private folder', () => {
    assert.equal(windows.socket('C:\\Temp\\x', 'a', 'beef'), '\\\\.\\pipe\\durant-a-beef');
    assert.equal(macos.socket('/tmp/x', 'a', 'beef'), '/tmp/x/a');
  });

  it('starts no batch file as a program, and needs no /bin on Windows', () => {
    assert.deepEqual(windows.programEndings, ['.exe', '']);
    assert.equal(windows.shell, 'sh');
    assert.deepEqual([macos.shell, linux.shell], ['/bin/sh', '/bin/sh']);
    assert.deepEqual(
      [windows, macos, linux].map(({ hasProcessGroups }) => hasProcessGroups),
      [false, true, true],
    );
  });

  it('finds the shell that Git for Windows brings, where no other is on the PATH', () => {
    const found = (path: string, ...files: readonly string[]) =>
      localShell(windows, { Path: path }, (file) => files.includes(file));
    const git = 'C:\\Program Files\\Git';
    const sh = `${git}\\bin\\sh.exe`;
    assert.equal(found(`C:\\Windows;${git}\\cmd`, `${git}\\cmd\\git.exe`, sh), sh);
    assert.equal(found(`${git}\\mingw64\\bin`, `${git}\\mingw64\\bin\\git.exe`, sh), sh);
    assert.equal(
      found(`${git}\\cmd;D:\\msys`, `${git}\\cmd\\git.exe`, sh, 'D:\\msys\\sh.exe'),
      'D:\\msys\\sh.exe',
    );
    assert.equal(found('C:\\Windows', sh), 'sh');
    assert.equal(
      localShell(linux, { PATH: '/x' }, () => true),
      '/bin/sh',
    );
  });

  it('knows which names are one', () => {
    const one = (system: typeof windows, left: string, right: string): boolean => {
      const key = nameKey(system);
      return key === undefined ? left === right : key(latin1(left)) === key(latin1(right));
    };
    for (const [left, right, expected] of [
      ['a', 'A', [true, true, false]],
      ['é', 'É', [true, true, false]],
      ['caf\u00e9', 'cafe\u0301', [false, true, false]],
      ['a', 'b', [false, false, false]],
    ] as const)
      assert.deepEqual(
        [windows, macos, linux].map((system) => one(system, left, right)),
        expected,
        `${left} ${right}`,
      );
  });
});
