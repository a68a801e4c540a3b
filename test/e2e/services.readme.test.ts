/** The README's application with services, deployed as it stands there, on a real systemd behind a real Caddy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCliHome, runCli, type CliHome } from '../support/cli.ts';
import { examplesOf } from '../support/examples.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { useSystemd, canBootSystemd, type SystemdServer } from '../support/systemd.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const wheelScript = fileURLToPath(new URL('wheel.py', import.meta.url));

/**
 * As gunicorn takes sockets: those that systemd hands over and those of `--bind fd://N`, each once. A socket that comes both ways is closed
 * when it comes the second time, and that ends it.
 */
const gunicorn = `import http.server, os, socket, sys
def main():
    fds = list(range(3, 3 + int(os.environ.get("LISTEN_FDS", 0))))
    args = sys.argv[1:]
    fds += [int(args[i + 1][5:]) for i, each in enumerate(args) if each == "--bind"]
    listeners = []
    for fd in fds:
        listeners.append(socket.socket(fileno=os.dup(fd)))
        os.close(fd)
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = ("%s says %s" % (args[0], os.environ["GREETING"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words): pass
        def address_string(self): return "proxy"
    server = http.server.HTTPServer(("", 0), Handler, bind_and_activate=False)
    server.socket = listeners[0]
    server.serve_forever()
`;

describe('the example of the README', function () {
  this.timeout(180_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([
      {
        message: 'First',
        files: {
          'pyproject.toml': '[project]\nname = "shop"\nversion = "1.4.0"\n',
          'requirements.txt': 'gunicorn\ncelery\n',
        },
      },
    ]);
  });
  after(async () => {
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('runs gunicorn on the socket that systemd hands it, and celery twice', async () => {
    const example = examplesOf(readme, 'ini').find((each) => each.includes('[process web]')) ?? '';
    const here: Readonly<Record<string, string>> = {
      server: machine.entry('deploy'),
      project_dir: '/home/deploy/shop',
    };
    const conf = example.replaceAll(
      /^(server|project_dir) = .*$/gm,
      (_, key: string) => `${key} = ${here[key] ?? ''}`,
    );
    const wheels = join(machine.root, 'home/deploy/wheels');
    const wheel = (name: string, module: string): void => {
      execFileSync('python3', [wheelScript, name, '23.0', wheels], {
        env: { ...process.env, WHEEL_MODULE: module },
      });
    };
    wheel('gunicorn', gunicorn);
    wheel('celery', 'import time\ndef main():\n    time.sleep(1000)\n');
    writeFileSync(
      join(project, 'durant.conf'),
      `[DEFAULT]\nrepository = ${repository.directory}\nenv = PIP_NO_INDEX=1, PIP_FIND_LINKS=/home/deploy/wheels\n${conf}`,
    );
    writeFileSync(join(project, '.env.production'), 'GREETING=hello\n');
    // A stand-in for uv, which has to come from elsewhere: it builds the wheel of the commit.
    const bin = join(project, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'uv'),
      `#!/bin/sh\n[ "$1" = build ] && exec python3 ${wheelScript} shop 1.4.0 dist\n`,
    );
    chmodSync(join(bin, 'uv'), 0o755);
    const env = { PATH: `${bin}${delimiter}${home.env['PATH'] ?? process.env['PATH'] ?? ''}` };
    const result = await runCli(['deploy', 'production'], { home, cwd: project, env });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout + result.stderr, /https:\/\/shop\.example\.com/);
    assert.deepEqual(await machine.visit('shop.example.com'), { status: 200, body: 'shop.wsgi says hello' });
    const info = JSON.parse(
      (await runCli(['--json', 'app', 'production', 'info'], { home, cwd: project, env })).stdout,
    );
    assert.deepEqual(
      info.servers[0].processes.map((each: { process: string; state: string; restarts: number }) => [
        each.process,
        each.state,
        each.restarts,
      ]),
      [
        ['web', 'running', 0],
        ['web', 'running', 0],
        ['worker', 'running', 0],
        ['worker', 'running', 0],
      ],
    );
  });
});
