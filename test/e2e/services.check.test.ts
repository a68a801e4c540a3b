/** `check --connect` of services: on a real systemd, with sudo, Caddy and accounts that may less. It says what fails, and changes nothing. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, type CliHome } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { useSystemd, canBootSystemd, type SystemdServer } from '../support/systemd.ts';

interface Row {
  readonly title: string;
  readonly account?: 'deploy' | 'asker' | 'plain';
  readonly lines: readonly string[];
  /** Run there as root before, and after. */
  readonly before?: string;
  readonly after?: string;
  /** Of the step `services`; undefined: nothing is to be said of it. */
  readonly ok: boolean | undefined;
  readonly says?: RegExp;
}

const web = ['[process web]', 'command = sleep 1000', 'socket = yes'];
const foreign = '/etc/systemd/system/shop.service';
const site = '/etc/caddy/conf.d/shop.caddy';

const ROWS: readonly Row[] = [
  { title: 'no services', lines: [], ok: undefined },
  {
    title: 'units and a site',
    lines: ['domain_name = shop.test', ...web],
    ok: true,
    says: /shop-web@RELEASE\.socket, shop-web@RELEASE\.service.*shop\.caddy to install; .*to start.*publish: beside, as web listens on/s,
  },
  {
    title: 'a unit of somebody else',
    lines: web,
    before: `printf '[Service]\\nExecStart=/bin/true\\n' > ${foreign}`,
    after: `rm ${foreign}`,
    ok: false,
    says: /shop\.service on .* was not made by Durant/,
  },
  {
    title: 'a unit of another project',
    lines: web,
    before: `printf '[Unit]\\nX-Durant-Project=/srv/other\\n[Service]\\nExecStart=/bin/true\\n' > ${foreign}`,
    after: `rm ${foreign}`,
    ok: false,
    says: /shop\.service on .* was not made by Durant for this project_dir/,
  },
  {
    title: 'a unit that the login user may not read',
    lines: web,
    before: `printf '[Service]\\nExecStart=/bin/true\\n' > ${foreign}; chmod 600 ${foreign}`,
    after: `rm ${foreign}`,
    ok: false,
    says: /shop\.service on .* cannot be read/,
  },
  {
    title: 'a site of somebody else',
    lines: ['domain_name = shop.test', ...web],
    before: `mkdir -p /etc/caddy/conf.d; echo '# theirs' > ${site}`,
    after: `rm ${site}`,
    ok: false,
    says: /shop\.caddy on .* was not made by Durant/,
  },
  {
    title: 'a unit that systemd refuses',
    lines: ['[process bad]', 'command = x', 'timer = OnCalendar=never ever'],
    ok: false,
    says: /refuses the units; nothing was changed/,
  },
  {
    title: 'a site that Caddy refuses',
    lines: ['domain_name = shop.test', 'templates_dir = bad', ...web],
    ok: false,
    says: /Caddy on .* refuses the site file/,
  },
  {
    title: 'a Caddy that does not run',
    lines: ['domain_name = shop.test', ...web],
    before: 'systemctl stop caddy',
    after: 'systemctl start caddy',
    ok: false,
    says: /Caddy does not run/,
  },
  {
    title: 'no Caddy',
    lines: ['domain_name = shop.test', ...web],
    before: 'chmod 644 "$(command -v caddy)"',
    after: 'chmod 755 /usr/bin/caddy',
    ok: false,
    says: /no caddy/,
  },
  {
    title: 'a sudo that asks for a password, and nobody there',
    account: 'asker',
    lines: web,
    ok: false,
    says: /asks asker for a password, and none was given/,
  },
  {
    title: 'no sudo at all',
    lines: web,
    before: 'chmod 600 /usr/bin/sudo',
    after: 'chmod 4755 /usr/bin/sudo',
    ok: false,
    says: /has no sudo, and deploy is not root/,
  },
  {
    title: 'a sudo that allows systemctl alone',
    account: 'plain',
    lines: ['domain_name = shop.test', ...web],
    before: "echo 'plain ALL=(root) NOPASSWD: /usr/bin/systemctl' > /etc/sudoers.d/plain",
    after: 'rm /etc/sudoers.d/plain',
    ok: false,
    says: /sudo on .* does not let plain run [^]*\ncp \/home\/plain\/site\/\.durant\/services\.new\/units\/shop-web@RELEASE\.service \/etc\/systemd\/system\/\.durant\.shop-web@RELEASE\.service\n/,
  },
  {
    title: 'a Caddy that does not import the sites',
    lines: ['domain_name = shop.test', ...web],
    before: "sed -i 's/^import/#import/' /etc/caddy/Caddyfile",
    after: "sed -i 's/^#import/import/' /etc/caddy/Caddyfile",
    ok: false,
    says: /Caddyfile on .* does not import \/etc\/caddy\/conf\.d\/shop\.caddy.*Add to it: import \/etc\/caddy\/conf\.d\/\*\.caddy/,
  },
  {
    title: 'a Caddy that imports the sites by a file that it imports',
    lines: ['domain_name = shop.test', ...web],
    before:
      "sed -i 's#^import.*#import \"more\"#' /etc/caddy/Caddyfile; echo 'import conf.d/*' > /etc/caddy/more",
    after: "sed -i 's#^import.*#import conf.d/*.caddy#' /etc/caddy/Caddyfile; rm /etc/caddy/more",
    ok: true,
  },
  {
    title: 'units of the login user, who lingers',
    lines: ['systemd = user', '[process web]', 'command = sleep 1000', 'socket = 8123'],
    ok: true,
    says: /shop\.service/,
  },
  {
    title: 'units of a login user who does not linger',
    account: 'plain',
    lines: ['systemd = user', '[process web]', 'command = sleep 1000', 'socket = 8123'],
    ok: false,
    says: /enable-linger plain/,
  },
  {
    title: 'a systemd that cannot be asked about units before',
    lines: web,
    before: 'chmod 644 /usr/bin/systemd-analyze',
    after: 'chmod 755 /usr/bin/systemd-analyze',
    ok: true,
    says: /to install/,
  },
];

describe('check --connect of services', function () {
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
    mkdirSync(join(project, 'bad'));
    writeFileSync(join(project, 'bad/Caddyfile'), '{{domain_name}} {\n\tnonsense\n}\n');
    repository = makeRepository([{ message: 'Version 1', files: { 'app.py': 'pass\n' } }]);
  });
  after(async () => {
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  const everything = () =>
    machine.sh(
      'cd /; ls -lR etc/systemd etc/caddy home var/lib/systemd/linger; cat etc/caddy/Caddyfile etc/caddy/conf.d/* 2>/dev/null; ls /tmp | grep "^tmp\\." || :',
    );

  for (const { title, account = 'deploy', lines, before, after, ok, says } of ROWS)
    it(title, async () => {
      writeFileSync(
        join(project, 'durant.conf'),
        [
          '[production]',
          `repository = ${repository.directory}`,
          `server = ${machine.entry(account)}`,
          'project_dir = ~/site',
          'app = shop',
          ...lines,
          '',
        ].join('\n'),
      );
      if (before !== undefined) await machine.sh(before);
      try {
        const was = await everything();
        const result = await runCli(['--json', 'check', '--connect', 'production'], { home, cwd: project });
        assert.equal(await everything(), was, 'it changes nothing');
        const { assessments } = JSON.parse(result.stdout);
        const [found, ...more] = assessments.filter(({ step }: { step: string }) => step === 'services');
        assert.deepEqual(more, []);
        assert.equal(found?.ok, ok, result.stdout);
        if (says !== undefined) assert.match(found.message, says);
        assert.equal(result.status, ok === false ? 1 : 0, result.stdout);
        const others = assessments.filter((each: { ok: boolean }) => !each.ok && each !== found);
        assert.deepEqual(others, []);
      } finally {
        if (after !== undefined) await machine.sh(after);
      }
    });

  it('says for people that units could not be asked about', async () => {
    writeFileSync(
      join(project, 'durant.conf'),
      `[production]\nrepository = ${repository.directory}\nserver = ${machine.entry('deploy')}\nproject_dir = ~/site\napp = shop\n${web.join('\n')}\n`,
    );
    await machine.sh('chmod 644 /usr/bin/systemd-analyze');
    try {
      const result = await runCli(['check', '--connect', 'production'], { home, cwd: project });
      assert.equal(result.status, 0, result.stderr);
      assert.match(result.stderr, /no systemd-analyze/);
    } finally {
      await machine.sh('chmod 755 /usr/bin/systemd-analyze');
    }
  });
});
