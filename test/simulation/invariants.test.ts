/** The checks of the simulation find what they are for: each is shown a server on which its promise is broken. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { watch, type Actor, type Watch } from './invariants.ts';
import { commitId, filesOf } from './repository.ts';
import { makeServer, type SimulatedServer } from './server.ts';

const deployer: Actor = { kind: 'run', run: 'r1', action: 'deploy', named: undefined };

describe('what the simulation checks', () => {
  let folder: string;
  let server: SimulatedServer;
  let watching: Watch;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-invariants-'));
    server = makeServer(folder, 'web1');
    for (const version of [1, 2]) release(version);
    write('.durant/lock', 'run = "r1"\n');
    symlinkSync('releases/1', join(server.site, 'current'));
    watching = watch([server]);
    watching.step('web1', deployer);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(server.site, path)), { recursive: true });
    writeFileSync(join(server.site, path), text);
  }
  function release(version: number): void {
    for (const [path, text] of Object.entries(filesOf(version))) write(`releases/${version}/${path}`, text);
    write(`releases/${version}/REVISION`, `${commitId(version)}\n`);
    write(`.durant/releases/${version}.ini`, 'state = "finished"\n');
  }
  function point(target: string): void {
    unlinkSync(join(server.site, 'current'));
    symlinkSync(target, join(server.site, 'current'));
  }

  const broken: readonly (readonly [string, () => void, Actor, RegExp])[] = [
    ['a link that dangles', () => point('releases/3'), deployer, /dangles/],
    ['a link that is gone', () => unlinkSync(join(server.site, 'current')), deployer, /current is gone/],
    [
      'half a release',
      () => rmSync(join(server.site, 'releases/1/zz'), { recursive: true }),
      deployer,
      /lacks zz\/last.txt/,
    ],
    [
      'two versions mixed',
      () => write('releases/1/a-first.txt', 'version 2\n'),
      deployer,
      /lacks a-first.txt/,
    ],
    ['a file that is left over', () => write('releases/1/old.txt', ''), deployer, /has old.txt/],
    [
      'a change without the lock',
      () => point('releases/2'),
      { ...deployer, run: 'r2' },
      /without the lock: current/,
    ],
    [
      "another's lock removed",
      () => unlinkSync(join(server.site, '.durant/lock')),
      { ...deployer, run: 'r2' },
      /removed the lock/,
    ],
    [
      'a record that is cut off',
      () => write('.durant/releases/2.ini', 'state = "fin'),
      deployer,
      /cannot be read/,
    ],
    [
      'a line of the log that is cut off',
      () => write('.durant/history.log', '2026-11-21T10'),
      deployer,
      /history.log/,
    ],
    [
      'the only candidate removed',
      () => rmSync(join(server.site, 'releases/2'), { recursive: true }),
      deployer,
      /nothing left to roll back/,
    ],
    [
      'a file of the login user changed',
      () => writeFileSync(join(server.home, 'private'), ''),
      deployer,
      /outside/,
    ],
    [
      'an upload removed',
      () => unlinkSync(join(server.site, 'shared/storage/upload')),
      deployer,
      /outside|ENOENT/,
    ],
  ];
  for (const [title, breakIt, actor, expected] of broken)
    it(`finds ${title}`, () => {
      breakIt();
      assert.throws(() => watching.step('web1', actor), expected);
    });

  it('finds a new release that goes live without a watcher', () => {
    const withWatchers = watch([server], true);
    write('.durant/releases/2.ini', 'state = "prepared"\n');
    withWatchers.step('web1', deployer);
    point('releases/2');
    assert.throws(() => withWatchers.step('web1', deployer), /without a watcher/);
  });

  it('finds a bad release that goes live by itself, and lets it be named', () => {
    write('.durant/releases/2.ini', 'state = "bad"\n');
    watching.step('web1', deployer);
    point('releases/2');
    assert.throws(() => watching.step('web1', deployer), /2 went live, which is bad/);
  });

  it('finds a run that says live where it is not', () => {
    const ending = { run: 'r1', ok: true, code: undefined, commit: null, warnings: new Set<string>() };
    const servers = [{ server: 'web1', state: 'live' }];
    assert.throws(() => watching.end({ ...ending, release: '2', servers }), /said to have 2 live/);
    watching.end({ ...ending, release: '1', servers });
  });

  it('finds a failed run that leaves its lock without a word', () => {
    const ending = {
      run: 'r1',
      ok: false,
      code: 'x',
      release: null,
      commit: null,
      servers: [{ server: 'web1', state: 'failed' }],
    };
    assert.throws(() => watching.end({ ...ending, warnings: new Set() }), /left locked/);
    watching.end({ ...ending, warnings: new Set(['unlock-failed']) });
  });
});
