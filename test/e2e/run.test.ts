/** `durant run`: one command on every server at once, with exit statuses. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../support/wait.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('durant run', function () {
  const secret = 'hunter22-and-more';
  let world: World;
  let shared: string;
  before(async () => {
    shared = mkdtempSync(join(tmpdir(), 'durant-run-'));
    world = await makeWorld({ servers: [{}, {}, {}] });
    writeFileSync(join(world.project, 'app.env'), `API_TOKEN=${secret}\n`);
    configure();
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(async () => {
    await world.remove();
    rmSync(shared, { recursive: true, force: true });
  });

  const entry = (server: number) => world.servers[server]?.entry ?? '';
  const configure = (...lines: readonly string[]) =>
    world.configure(
      ['env_file = app.env', 'env = COLOUR=green', ...lines],
      [0, 1, 2].map((server) => `${entry(server)} [${server === 2 ? 'db' : 'web'}]`),
    );
  const lines = (text: string) => text.trim().split('\n').toSorted();

  it('runs in the live release everywhere, each line with its server, no secret shown', async () => {
    const result = await world.run([
      'run',
      'production',
      '--',
      'pwd; echo "$COLOUR $DURANT_SERVER $API_TOKEN"; printf unfinished >&2',
    ]);
    assert.equal(result.status, 0, result.stderr);
    assert.deepEqual(
      lines(result.stdout),
      [0, 1, 2]
        .flatMap((server) => [
          `[${entry(server)}] ${world.site(server)}/releases/${world.live(server) ?? ''}`,
          `[${entry(server)}] green ${entry(server)} ***`,
        ])
        .toSorted(),
    );
    assert.deepEqual(
      lines(result.stderr),
      [0, 1, 2]
        .flatMap((server) => [`[${entry(server)}] unfinished`, `${entry(server)}: exit status 0`])
        .toSorted(),
    );
  });

  it('is on all of them at the same time', async () => {
    // Each waits until the two others have come.
    const wait = `touch ${shared}/$$; i=0; while [ "$(ls ${shared} | wc -l)" -lt 3 ]; do sleep 0.1; i=$((i+1)); [ $i -lt 300 ] || exit 9; done`;
    const result = await world.run(['run', 'production', '--', wait]);
    assert.equal(result.status, 0, result.stderr);
  });

  it('takes several words as they are, and one as a line for the shell', async () => {
    const words = ['printf', '<%s>\\n', '$HOME', '; touch pwned', "it's"];
    const result = await world.run(['run', '--role', 'db', 'production', '--', ...words]);
    assert.equal(result.status, 0, result.stderr);
    assert.deepEqual(
      result.stdout.trim().split('\n'),
      ['$HOME', '; touch pwned', "it's"].map((word) => `[${entry(2)}] <${word}>`),
    );
    const line = await world.run(['run', '--server', entry(0), 'production', '--', 'echo a b | tr a-b x-y']);
    assert.equal(line.stdout, `[${entry(0)}] x y\n`);
    assert.equal((await world.run(['run', 'production', '--', ' '])).status, 2);
  });

  it('goes on elsewhere where one fails, names all that did, and ends with 1', async () => {
    const command = `[ "$DURANT_SERVER" = "${entry(1)}" ] || exit 7; echo went on`;
    const result = await world.run(['--json', 'run', 'production', '--', command]);
    assert.equal(result.status, 1);
    const finished = finishedOf(result);
    assert.deepEqual(
      (finished['servers'] as { server: string; exit_status: number }[]).map((each) => [
        each.server,
        each.exit_status,
      ]),
      [
        [entry(0), 7],
        [entry(1), 0],
        [entry(2), 7],
      ],
    );
    const error = finished['error'] as { code: string; message: string };
    assert.equal(error.code, 'remote-command-failed');
    for (const server of [0, 2]) assert.ok(error.message.includes(`${entry(server)} (exit status 7)`));
    assert.ok(!error.message.includes(entry(1)));
    assert.ok(result.events.some(({ event, line }) => event === 'output' && line === 'went on'));
  });

  it('says which servers it could not run on, and runs on the others', async () => {
    configure();
    const gone = '127.0.0.1:1';
    world.configure(['env_file = app.env'], [entry(0), gone, `localhost:1`]);
    const result = await world.run(['run', 'production', '--', 'echo here']);
    assert.equal(result.status, 1);
    assert.equal(result.stdout, `[${entry(0)}] here\n`);
    for (const server of [gone, 'localhost:1']) assert.match(result.stderr, new RegExp(`^${server}: .`, 'm'));
    configure();
  });

  it('Ctrl+C ends it on every server', async () => {
    const pid = join(shared, 'pid');
    const run = world.start(['run', 'production', '--', `echo $$ >> ${pid}; echo begun; sleep 600`]);
    await waitFor(
      'the command on three servers',
      () => existsSync(pid) && readFileSync(pid, 'utf8').trim().split('\n').length === 3,
    );
    run.interrupt();
    const { status, stderr } = await run.result;
    assert.equal(status, 130);
    assert.match(stderr, /^Ending the command on every server/m);
    for (const id of readFileSync(pid, 'utf8').trim().split('\n'))
      await waitFor(`process ${id} to be gone`, () => !existsSync(`/proc/${id}`));
  });
});
