import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { shellText } from '../../scripts/shellText.mjs';
import { createEngineClient, type Answer, type EngineClient } from '../../src/engineProcess/client.ts';
import { makeBuiltFolder, readBuilt, readBuiltFile } from '../../src/editor/builtFiles.ts';
import type { Question } from '../../src/engineProcess/protocol.ts';
import type { RunEvent } from '../../src/engine/index.ts';
import { makeCliHome, type CliHome } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { serveRepositories } from '../git/httpRepository.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';

describe('the engine process of the editor', () => {
  let servers: readonly TestServer[];
  let home: CliHome;
  let project: Repository;
  let bundles: string;
  let file: string;
  let client: EngineClient;
  let noise = '';

  before(async function () {
    bundles = mkdtempSync(join(tmpdir(), 'durant-engine-'));
    await build({
      entryPoints: [resolve('src/engineProcess/main.ts')],
      outfile: join(bundles, 'engine.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['cpu-features', '*.node'],
      plugins: [shellText],
    });
    servers = await Promise.all([startSshd(), startSshd()]);
    home = await makeCliHome(servers);
  });

  beforeEach(() => {
    project = makeRepository([{ message: 'First', files: { 'index.html': 'one\n', 'old.txt': 'old\n' } }]);
    file = join(project.directory, 'durant.conf');
    configure('');
    client = startClient();
  });

  afterEach(async () => {
    client.dispose();
    await waitFor('the engine process to end', async () => (await home.leftovers()).length === 0);
    project.remove();
    assert.equal(noise, '');
  });

  after(async () => {
    for (const server of servers) await server.stop();
    await home.remove();
    rmSync(bundles, { recursive: true, force: true });
  });

  function startClient(): EngineClient {
    return createEngineClient({
      bundle: join(bundles, 'engine.cjs'),
      setup: () => ({
        cacheDir: undefined,
        stateDir: undefined,
        gitPath: undefined,
        sshPath: undefined,
        rsyncPath: undefined,
        keepConnectionsMs: 60_000,
      }),
      env: home.env,
      onNoise: (text) => (noise += text),
    });
  }

  function configure(more: string): void {
    const path = `~/${project.directory.replaceAll('/', '-').slice(1)}`;
    const entries = servers.map((server) => `    ${server.entry}`).join('\n');
    writeFileSync(file, `[production]\nrepository: .\nproject_dir: ${path}\nserver:\n${entries}\n${more}\n`);
  }

  const stage = () => ({ file, stage: 'production', servers: [] });
  const deployment = () => ({
    ...stage(),
    ref: undefined,
    commit: undefined,
    dryRun: false,
    build: false,
    keepBuilt: undefined,
    again: false,
    mayLeaveOut: false,
    unsaved: [],
    waitMs: 0,
    alwaysConfirm: false,
  });
  const never = new AbortController().signal;
  const answering =
    (questions: Question[], text: string | undefined): Answer =>
    (question) => {
      questions.push(question);
      return Promise.resolve(text);
    };

  it('looks at the files of one server: a folder, a file of what is live, and nothing outside of the project', async () => {
    const [one] = servers;
    assert.ok(one);
    await client.call('deploy', deployment(), { signal: never });
    const place = { ...stage(), servers: [one.entry] };
    const { entries, total } = await client.call('serverFolder', { ...place, path: '' }, { signal: never });
    assert.equal(total, entries.length);
    assert.deepEqual(
      entries.map(({ name, kind }) => [name, kind]),
      [
        ['.durant', 'folder'],
        ['current', 'folder'],
        ['releases', 'folder'],
      ],
    );
    const file = { ...place, from: 'live', path: 'index.html', part: 'all' } as const;
    const { size, contents } = await client.call('serverFile', file, { signal: never });
    assert.deepEqual([size, Buffer.from(contents ?? '', 'base64').toString()], [4, 'one\n']);
    await assert.rejects(client.call('serverFile', { ...file, path: '../../../x' }, { signal: never }), {
      code: 'remote-command-failed',
      message: /leads out of ~\/.*: Durant shows nothing outside of it/,
    });
    await assert.rejects(client.call('serverFile', { ...file, path: 'nothing' }, { signal: never }), {
      message: /^nothing on .* is not there\./,
    });
  });

  it('deploys, lists and rolls back', async () => {
    const events: RunEvent[] = [];
    const first = await client.call('deploy', deployment(), {
      signal: never,
      emit: (event) => events.push(event),
    });
    assert.equal(first.error, null);
    assert.equal(events[0]?.event, 'run-started');
    assert.equal(events.at(-1)?.event, 'run-finished');
    project.commit({ message: 'Second', files: { 'index.html': 'two\n', 'old.txt': null } });
    const second = await client.call('deploy', deployment(), { signal: never });
    assert.equal(second.ok, true);

    const changes = await client.call(
      'changes',
      { ...stage(), from: first.commit ?? '', to: second.commit ?? '' },
      { signal: never },
    );
    assert.deepEqual(changes, [
      { path: 'index.html', kind: 'changed', text: true },
      { path: 'old.txt', kind: 'deleted', text: true },
    ]);
    const contents = await client.call(
      'file',
      { ...stage(), commit: first.commit ?? '', path: 'index.html' },
      { signal: never },
    );
    assert.equal(Buffer.from(contents ?? '', 'base64').toString(), 'one\n');

    const back = await client.call(
      'rollback',
      { ...stage(), release: undefined, alwaysConfirm: false },
      { signal: never },
    );
    assert.equal(back.release, first.release);
    const releases = await client.call('releases', stage(), { signal: never });
    assert.deepEqual(
      releases.servers.map((server) => [server.current, server.releases.map((each) => each.state)]),
      servers.map(() => [first.release, ['bad', 'finished']]),
    );
  });

  it('asks before a protected stage changes, with the commits that go live', async () => {
    await client.call('deploy', deployment(), { signal: never });
    project.commit({ message: 'Second', files: { 'index.html': 'two\n' } });
    configure('protected: yes');
    const questions: Question[] = [];
    const refused = await client.call('deploy', deployment(), {
      signal: never,
      answer: answering(questions, undefined),
    });
    assert.equal(refused.ok, false);
    const [question] = questions;
    assert.equal(question?.kind, 'confirm');
    assert.match(
      (question?.kind === 'confirm' && question.commits?.join()) || '',
      /^[0-9a-f]{7} Second \(Ada/,
    );
    const done = await client.call('deploy', deployment(), {
      signal: never,
      answer: answering(questions, 'production'),
    });
    assert.equal(done.ok, true);
  });

  it('says what would be left out, and stops where that is not wanted', async () => {
    writeFileSync(join(project.directory, 'index.html'), 'changed\n');
    writeFileSync(join(project.directory, 'new.txt'), 'new\n');
    const questions: Question[] = [];
    await assert.rejects(
      client.call('deploy', deployment(), { signal: never, answer: answering(questions, undefined) }),
      { code: 'cancelled' },
    );
    assert.deepEqual(questions, [
      {
        kind: 'left-out',
        server: null,
        leftOut: {
          files: [
            { path: 'index.html', state: 'changed' },
            { path: 'new.txt', state: 'untracked' },
          ],
          unpushed: [],
          branch: 'main',
        },
      },
    ]);
  });

  it('logs in once to a server that several stages ask about at the same time', async () => {
    const [server] = servers;
    assert.ok(server);
    const names = Array.from({ length: 6 }, (_, index) => `s${String(index)}`);
    const file = join(project.directory, 'many.conf');
    writeFileSync(
      file,
      names
        .map((name) => `[${name}]\nrepository: .\nserver: ${server.entry}\nproject_dir: ~/${name}\n`)
        .join('\n'),
    );
    const logins = (): number => server.log().match(/Accepted publickey/g)?.length ?? 0;
    const before = logins();
    const all = await Promise.all(
      names.map((stage) => client.call('releases', { file, stage, servers: [] }, { signal: never })),
    );
    assert.deepEqual(
      all.flatMap(({ servers: [of] }) => [of?.error ?? null]),
      names.map(() => null),
    );
    assert.ok(logins() - before <= 1, String(logins() - before));
  });

  it('lists in a dry run what before_deploy makes, and keeps copies of it, where it is to build', async () => {
    configure('sub_directory: dist\nbefore_deploy: mkdir dist; cp index.html dist; echo built > dist/app.js');
    const events: RunEvent[] = [];
    const options = { signal: never, emit: (event: RunEvent) => events.push(event) };
    const changes = () =>
      events.flatMap((event) =>
        event.event === 'change' && event.server === servers[0]?.entry ? [`${event.kind} ${event.path}`] : [],
      );
    const first = await client.call('deploy', { ...deployment(), dryRun: true }, options);
    assert.equal(first.error, null);
    assert.deepEqual(changes(), []);
    assert.ok(events.some((event) => event.event === 'warning' && event.code === 'build-output-not-listed'));

    events.length = 0;
    const parent = mkdtempSync(join(tmpdir(), 'durant-built-'));
    try {
      const keepBuilt = await makeBuiltFolder(parent);
      const second = await client.call(
        'deploy',
        { ...deployment(), dryRun: true, build: true, keepBuilt },
        options,
      );
      assert.equal(second.error, null);
      assert.deepEqual(changes(), ['added app.js', 'added index.html']);
      assert.ok(
        !events.some((event) => event.event === 'warning' && event.code === 'build-output-not-listed'),
      );
      const built = await readBuilt(keepBuilt);
      assert.deepEqual([...built.files.keys()], ['app.js', 'index.html']);
      assert.equal(await readBuiltFile(built, 'app.js'), 'built\n');
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  it('fetches by http with the login that is remembered for the host, and says where there is none', async () => {
    const served = await serveRepositories(project.directory, 'ada', 'token-77', () => undefined);
    const origin = `http://127.0.0.1:${served.port}`;
    try {
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace('repository: .', `repository: ${origin}/.git\nbranch: main`),
      );
      const questions: Question[] = [];
      const run = (text: string | undefined) =>
        client.call(
          'deploy',
          { ...deployment(), dryRun: true },
          { signal: never, answer: answering(questions, text) },
        );
      assert.deepEqual((await run(undefined)).error?.data, { signIn: origin });
      assert.deepEqual(questions, [{ kind: 'git-login', server: null, origin }]);
      const { error } = await run(JSON.stringify({ user: 'ada', password: 'token-77' }));
      assert.equal(error, null);
    } finally {
      await served.stop();
    }
  });

  it('cancels a run', async () => {
    configure('before_deploy: sleep 60');
    const controller = new AbortController();
    const run = client.call('deploy', deployment(), {
      signal: controller.signal,
      emit: (event) => {
        if (event.event === 'step' && event.step === 'before_deploy') controller.abort();
      },
    });
    assert.equal((await run).error?.code, 'cancelled');
  });

  it('undoes a run whose window has gone', async () => {
    await client.call('deploy', deployment(), { signal: never });
    project.commit({ message: 'Second', files: { 'index.html': 'two\n' } });
    configure('after_update_code: sleep 60');
    const run = client.call('deploy', deployment(), {
      signal: never,
      emit: (event) => {
        if (event.event === 'command') client.dispose();
      },
    });
    await assert.rejects(run, { code: 'internal' });
    await waitFor('the engine process to end', async () => (await home.leftovers()).length === 0);
    configure('');
    client = startClient();
    const releases = await client.call('releases', stage(), { signal: never });
    for (const server of releases.servers) {
      assert.equal(server.locked, null);
      assert.equal(server.releases.length, 1);
    }
  });
});
