import assert from 'node:assert/strict';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { resolveForRun } from '../../src/config/values/runSettings.ts';
import { appName } from '../../src/engine/app/appName.ts';
import { renderServices } from '../../src/engine/app/renderServices.ts';
import { publishingOf } from '../../src/engine/app/publishing.ts';
import {
  formatServiceSet,
  parseServiceSet,
  parseUnfilled,
  withPorts,
  type ServiceSet,
} from '../../src/engine/app/serviceSet.ts';
import { shellCommand } from '../../src/engine/app/systemdText.ts';
import { BUILT_IN_TEMPLATES, withMark } from '../../src/engine/app/builtInTemplates.ts';

async function read(conf: string) {
  const doc = parseConf(
    `[production]\nrepository = git@example.org:team/Shop.git\nserver = web1\nproject_dir = /srv/shop\n${conf}`,
  );
  return resolveForRun(doc, 'production', {
    env: {},
    runShell: () => Promise.reject(new Error('no shell here')),
    secret: () => Promise.resolve(undefined),
    gpg: () => Promise.reject(new Error('no gpg here')),
    signal: new AbortController().signal,
  });
}

async function render(conf: string, templates: Record<string, string> = {}): Promise<ServiceSet> {
  const { settings, processes } = await read(conf);
  return renderServices({
    app: 'shop',
    stage: 'production',
    settings,
    processes,
    address: settings.server[0] ?? { roles: [] },
    templates: { ...BUILT_IN_TEMPLATES, ...templates },
    project: '/srv/shop',
    user: 'deploy',
    release: 'r1',
  });
}

const fileOf = (set: ServiceSet, name: string): string => {
  const found = set.units.find((unit) => unit.name === name);
  assert.ok(found, `no ${name} among ${set.units.map((unit) => unit.name).join(', ')}`);
  return found.text;
};

describe('unit files', () => {
  it('of a plain process', async () => {
    const set = await render('env_file = .env\n[process worker]\ncommand = ./work --fast\n');
    assert.equal(
      fileOf(set, 'shop-worker.service'),
      `[Unit]
Description=shop worker (production, by Durant)
X-Durant-Project=/srv/shop
After=network.target

[Service]
Type=simple
User=deploy
WorkingDirectory=/srv/shop/current
EnvironmentFile=/srv/shop/current/.env
SyslogIdentifier=worker
ExecStart=/bin/sh -c 'exec ./work --fast'
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`,
    );
    assert.deepEqual(set.units[0]?.units, ['shop-worker.service']);
  });

  it('of a process with limits, which says when it is ready, in a stage with variables', async () => {
    const set = await render(
      'env = A=1\n[process web]\ncommand = ./serve\ntype = notify\nstop_timeout = 5m\nmemory_limit = 512M\n',
    );
    assert.match(
      fileOf(set, 'shop.service'),
      /^Type=notify\nUser=deploy\nWorkingDirectory=\/srv\/shop\/current\nEnvironmentFile=\/srv\/shop\/current\/\.durant\.env\nSyslogIdentifier=web\nExecStart=.*\nRestart=always\nRestartSec=1\nTimeoutStopSec=300\nMemoryMax=512M$/m,
    );
  });

  it('of further domain names: each leads to the first', async () => {
    const set = await render(
      'domain_name = shop.example.org, www.shop.example.org, shop.example.com\nupstream = 127.0.0.1:1\n',
    );
    assert.equal(
      set.site?.text,
      `# X-Durant-Project=/srv/shop
shop.example.org {
	handle {
		reverse_proxy 127.0.0.1:1
	}
}
www.shop.example.org, shop.example.com {
	redir https://shop.example.org{uri} 308
}
`,
    );
  });

  it('of web with a socket, and the site that asks it', async () => {
    const set = await render(
      'domain_name = shop.example.org\npublish = restart\nstatics = /static/ = staticfiles/\n[process web]\ncommand = ./serve\nsocket = yes\n',
    );
    assert.match(fileOf(set, 'shop.socket'), /^ListenStream=%t\/shop\/web\.sock$/m);
    assert.match(fileOf(set, 'shop.service'), /^Requires=shop\.socket\nAfter=shop\.socket$/m);
    assert.equal(set.site?.path, '/etc/caddy/conf.d/shop.caddy');
    assert.equal(
      set.site?.text,
      `# X-Durant-Project=/srv/shop
shop.example.org {
	handle_path /static/* {
		root * /srv/shop/current/staticfiles
		file_server
	}
	handle {
		reverse_proxy unix//run/shop/web.sock
	}
}
`,
    );
  });

  it('of web as an instance of its release, and the site that leads to it', async () => {
    const set = await render(
      'env_file = .env\ndomain_name = shop.example.org\nstatics = /static/ = staticfiles/\n[process web]\ncommand = ./serve\nsocket = yes\n[process worker]\ncommand = w\n',
    );
    assert.deepEqual(
      set.units.map(({ name, beside }) => [name, beside]),
      [
        ['shop-web@r1.socket', true],
        ['shop-web@r1.service', true],
        ['shop-worker.service', undefined],
      ],
    );
    assert.match(
      fileOf(set, 'shop-web@r1.socket'),
      /^ListenStream=%t\/shop\/web@r1\.sock\nRemoveOnStop=yes$/m,
    );
    assert.match(
      fileOf(set, 'shop-web@r1.service'),
      /^WorkingDirectory=\/srv\/shop\/releases\/r1\nEnvironmentFile=\/srv\/shop\/releases\/r1\/\.env$/m,
    );
    assert.match(fileOf(set, 'shop-worker.service'), /^WorkingDirectory=\/srv\/shop\/current$/m);
    assert.match(set.site?.text ?? '', /root \* \/srv\/shop\/releases\/r1\/staticfiles\n/);
    assert.match(set.site?.text ?? '', /reverse_proxy unix\/\/run\/shop\/web@r1\.sock\n/);
  });

  it('with a port of their own get it when it is chosen, and again where another has to be', async () => {
    const set = await render(
      'domain_name = a.example\nupstream = 127.0.0.1:{port}\n[process site]\ncommand = w --port {port}\n',
    );
    const text = formatServiceSet({ ...set, ports: { site: 20_003 } });
    const filled = parseServiceSet(text);
    assert.match(fileOf(filled, 'shop-site@r1.service'), /^ExecStart=\/bin\/sh -c 'exec w --port 20003'$/m);
    assert.match(filled.site?.text ?? '', /reverse_proxy 127\.0\.0\.1:20003\n/);
    assert.equal(filled.upstream, '127.0.0.1:20003');
    const other = withPorts(parseUnfilled(text), () => 20_004);
    assert.match(other.site?.text ?? '', /reverse_proxy 127\.0\.0\.1:20004\n/);
  });

  for (const [conf, why] of [
    ['publish = restart\n[process web]\ncommand = w\nsocket = yes', /says so/],
    ['[process web]\ncommand = w\nsocket = 8000', /one address \(socket: 8000\)/],
    ['upstream = 127.0.0.1:8000\n[process web]\ncommand = w', /leads to no process/],
    ['upstream = unix//run/shop/x.sock\n[process web]\ncommand = w\nsocket = yes', /leads to no process/],
    ['[process web]\ncommand = w', /listens neither on/],
    ['[process web]\ncommand = w {port}\nreplicas = 2', /several of web run/],
  ] as const)
    it(`are restarted, and it is said why: ${conf.replaceAll('\n', ', ')}`, async () => {
      const { settings, processes } = await read(`domain_name = a.example\n${conf}\n`);
      const publishing = publishingOf({ app: 'shop', settings, processes, templates: BUILT_IN_TEMPLATES });
      assert.equal(publishing.how, 'restart');
      assert.match(publishing.why, why);
      await assert.rejects(
        render(
          `domain_name = a.example\npublish = beside\n${conf.replace('publish = restart\n', 'proxy = none\n')}\n`,
        ),
        /publish: beside is not possible/,
      );
    });

  it('are restarted where a template has an address of its own', async () => {
    const conf = 'domain_name = a.example\n[process web]\ncommand = w\nsocket = yes\n';
    const set = await render(conf, {
      Caddyfile: 'a.example {\n\treverse_proxy unix//run/shop/web.sock\n}\n',
    });
    assert.equal(set.units[0]?.name, 'shop.socket');
  });

  it('of several of one, of a timer, and of the login user', async () => {
    const set = await render(
      'systemd = user\n[process w]\ncommand = w\nreplicas = 3\nrestart = on-failure\n[process nightly]\ncommand = n\ntimer = OnCalendar=daily\n  Persistent=true\n',
    );
    assert.deepEqual(set.units.find(({ name }) => name === 'shop-w@.service')?.units, [
      'shop-w@1.service',
      'shop-w@2.service',
      'shop-w@3.service',
    ]);
    assert.match(fileOf(set, 'shop-w@.service'), /^WantedBy=default\.target$/m);
    assert.doesNotMatch(fileOf(set, 'shop-w@.service'), /^User=/m);
    assert.match(fileOf(set, 'shop-nightly.timer'), /^\[Timer\]\nOnCalendar=daily\nPersistent=true$/m);
    assert.match(fileOf(set, 'shop-nightly.service'), /^Type=oneshot$/m);
    assert.doesNotMatch(fileOf(set, 'shop-nightly.service'), /^Restart/m);
    assert.deepEqual(set.units.find(({ name }) => name === 'shop-nightly.service')?.units, []);
  });

  for (const [socket, upstream] of [
    ['8000', '127.0.0.1:8000'],
    ['/run/x/y.sock', 'unix//run/x/y.sock'],
    ['127.0.0.1:9000', '127.0.0.1:9000'],
  ] as const)
    it(`proxied by ${socket}`, async () => {
      const set = await render(`domain_name = a.example\n[process web]\ncommand = w\nsocket = ${socket}\n`);
      assert.match(fileOf(set, 'shop.socket'), new RegExp(`^ListenStream=${socket}$`, 'm'));
      assert.match(set.site?.text ?? '', new RegExp(`reverse_proxy ${upstream}\n`));
    });

  for (const [command, expected] of [
    ['a --port $PORT', "/bin/sh -c 'exec a --port $$PORT'"],
    ['a %h "b c"', '/bin/sh -c \'exec a %%h "b c"\''],
    ["a 'b'", "/bin/sh -c 'exec a \\'b\\''"],
    ['a \\n', "/bin/sh -c 'exec a \\\\n'"],
  ] as const)
    it(`escape ${command} once`, () => assert.equal(shellCommand(command), expected));

  it('come from templates of the project, which get their mark whatever they say', async () => {
    const set = await render('[process web]\ncommand = w\n', {
      'web.service': '[Unit]\nDescription=mine\n[Service]\nUser={{user}}\nExecStart={{exec_start}}\n',
    });
    assert.equal(
      fileOf(set, 'shop.service'),
      "[Unit]\nX-Durant-Project=/srv/shop\nDescription=mine\n[Service]\nUser=deploy\nExecStart=/bin/sh -c 'exec w'\n",
    );
    await assert.rejects(
      render('[process web]\ncommand = w\n', { 'web.service': '{{nonsense}}' }),
      /web\.service uses \{\{nonsense\}\}/,
    );
    assert.equal(withMark('x {\n}\n', '# mark'), '# mark\nx {\n}\n');
  });

  it('are those that the stage picks', async () => {
    const conf = 'processes = b\n[process a]\ncommand = a\n[process b]\ncommand = b\n';
    assert.deepEqual(
      (await render(conf)).units.map(({ name }) => name),
      ['shop-b.service'],
    );
  });

  for (const [title, conf, pattern] of [
    ['a domain and nobody to ask', 'domain_name = a.example\n', /no \[process web\] with a socket/],
    [
      'a socket that the proxy cannot reach',
      'domain_name = a.example\nsystemd = user\n[process web]\ncommand = w\nsocket = yes\n',
      /Give the process a port/,
    ],
    [
      'another user without sudo',
      'systemd = user\n[process w]\ncommand = w\nuser = www-data\n',
      /has user = www-data/,
    ],
  ] as const)
    it(`are refused: ${title}`, () => assert.rejects(render(conf), pattern));

  it('are kept in the record and read again', async () => {
    const set = await render('domain_name = a.example\n[process web]\ncommand = w\nsocket = yes\n');
    assert.deepEqual(parseServiceSet(formatServiceSet(set)), set);
    assert.deepEqual(parseServiceSet('{"units": 3').units, []);
  });
});

describe('the name of an application', () => {
  for (const [repository, expected] of [
    ['git@example.org:team/Shop.git', 'shop-production'],
    ['https://example.org/my_shop/', 'my-shop-production'],
    ['.', 'project-production'],
    ['../Other Shop', 'other-shop-production'],
  ] as const)
    it(`of ${repository}`, async () => {
      const { settings } = await read('');
      const request = {
        settings: { ...settings, repository },
        stage: 'production',
        file: '/a/project/durant.conf',
      };
      assert.equal(appName(request), expected);
      assert.equal(appName({ ...request, settings: { ...settings, app: 'named' } }), 'named');
    });
});
