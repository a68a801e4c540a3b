/** What ssh would do for a host: from `ssh -G`, from the configuration file alone, and when that needs ssh itself. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { needsOpenssh } from '../../src/remote/opensshNeeds.ts';
import { createSettingsReader, readSettings, type SettingsQuery } from '../../src/remote/sshSettings.ts';
import { expandProxyCommand, interpretSettings, type SshSettings } from '../../src/remote/settingsText.ts';
import { readSshConfigFile } from '../../src/remote/sshConfigFile.ts';
import { jumpHosts } from '../../src/remote/jump.ts';
import { waitFor } from '../support/wait.ts';

const query: SettingsQuery = {
  host: 'web',
  user: undefined,
  port: undefined,
  identity: undefined,
  sshPath: undefined,
};
const environment = {
  home: '/home/me',
  variables: { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' },
  localUser: 'me',
  localHost: 'laptop.example',
  platform: 'linux',
} as const;
const interpret = (...lines: string[]): SshSettings =>
  interpretSettings(lines.join('\n'), query, environment);

describe('ssh settings', () => {
  let folder: string;
  const signal = new AbortController().signal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'settings-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** An `ssh` that reads this configuration and counts how often it is asked. */
  function sshWith(...lines: string[]): string {
    writeFileSync(join(folder, 'config'), `${lines.join('\n')}\n`);
    const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
    const file = join(folder, 'ssh');
    writeFileSync(file, `#!/bin/sh\necho >>'${folder}/asked'\nexec '${real}' -F '${folder}/config' "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  describe('from ssh -G', () => {
    it('has ended when cancelling it has', async () => {
      const sshPath = join(folder, 'ssh');
      const said = (name: string): string => join(folder, name);
      writeFileSync(
        sshPath,
        `#!/bin/sh\ntrap 'sleep 0.2; : > ${said('ended')}; exit 1' TERM\n: > ${said('begun')}\nwhile :; do sleep 0.05; done\n`,
      );
      chmodSync(sshPath, 0o755);
      const cancel = new AbortController();
      const asked = readSettings({ ...query, sshPath }, cancel.signal);
      await waitFor('ssh to begin', () => existsSync(said('begun')));
      cancel.abort();
      await assert.rejects(asked, { code: 'cancelled' });
      assert.ok(existsSync(said('ended')));
    });

    it('are what a terminal would have', async () => {
      writeFileSync(join(folder, 'more'), 'Host web\n  Port 2200\n');
      const sshPath = sshWith(
        `Include ${folder}/more`,
        'Host web',
        '  HostName %h.example',
        '  User deploy',
        '  Port 1',
        `Match originalhost web exec "test %n = web"`,
        '  ProxyJump gate,[::1]:22',
        '  IdentityFile /keys/%r_%h',
        '  HostKeyAlias farm',
        '  UserKnownHostsFile /a/known /b/known',
        '  ServerAliveInterval 7',
        '  AddressFamily inet6',
      );
      const settings = await readSettings({ ...query, sshPath }, signal);
      assert.equal(settings.hostname, 'web.example');
      assert.equal(settings.user, 'deploy');
      assert.equal(settings.port, 2200);
      assert.equal(settings.proxyJump, 'gate,[::1]:22');
      assert.equal(settings.hostKeyAlias, 'farm');
      assert.deepEqual(settings.identityFiles, ['/keys/deploy_web.example']);
      assert.equal(settings.identityFilesChosen, true);
      assert.deepEqual(settings.userKnownHostsFiles, ['/a/known', '/b/known']);
      assert.equal(settings.serverAliveInterval, 7);
      assert.equal(settings.addressFamily, 'inet6');
    });

    it('let a command line win', async () => {
      const sshPath = sshWith('Host *', '  User no', '  Port 1', '  IdentityFile /keys/config');
      const settings = await readSettings(
        { ...query, sshPath, user: 'me', port: 2222, identity: '/keys/chosen' },
        signal,
      );
      assert.equal(settings.user, 'me');
      assert.equal(settings.port, 2222);
      assert.equal(settings.identityFiles[0], '/keys/chosen');
    });

    it('know the defaults', async () => {
      const settings = await readSettings({ ...query, sshPath: sshWith('') }, signal);
      assert.equal(settings.identityFilesChosen, false);
      assert.ok(settings.identityFiles.includes(join(userInfo().homedir, '.ssh/id_ed25519')));
      assert.equal(settings.user, userInfo().username);
      assert.equal(settings.proxyJump, undefined);
    });

    it('are asked for once', async () => {
      const read = createSettingsReader();
      const sshPath = sshWith('');
      await Promise.all([read({ ...query, sshPath }, signal), read({ ...query, sshPath }, signal)]);
      await read({ ...query, sshPath, port: 2222 }, signal);
      assert.equal(readFileSync(join(folder, 'asked'), 'utf8').length, 2);
    });

    it('that ssh refuses are reported in its words', async () => {
      await assert.rejects(readSettings({ ...query, sshPath: sshWith('NoSuchOption yes') }, signal), {
        code: 'connection-unsupported',
        message: /nosuchoption/i,
      });
    });

    for (const host of ['-oProxyCommand=touch x', 'a b', 'a;b', '$(x)', ''])
      it(`are not asked for a host named “${host}”`, async () => {
        const sshPath = sshWith('');
        await assert.rejects(readSettings({ ...query, host, sshPath }, signal), { code: 'usage' });
        await assert.rejects(readSettings({ ...query, user: host, sshPath }, signal), { code: 'usage' });
        assert.equal(existsSync(join(folder, 'asked')), false);
      });
  });

  describe('interpreted', () => {
    const agents: readonly [string, string | undefined][] = [
      ['', '/run/agent'],
      ['identityagent SSH_AUTH_SOCK', '/run/agent'],
      ['identityagent none', undefined],
      ['identityagent $OTHER', '/run/other'],
      ['identityagent ~/agent', '/home/me/agent'],
      ['identityagent "~/Group Containers/agent.sock"', '/home/me/Group Containers/agent.sock'],
      ['identityagent ${OTHER}/%u', '/run/other/me'],
    ];
    for (const [line, agent] of agents)
      it(`“${line}” means the agent ${agent}`, () => {
        assert.equal(interpret(line).agent, agent);
      });

    it('fill in tokens', () => {
      const settings = interpret(
        'hostname web.example',
        'port 22',
        'user you',
        'proxycommand nc -x proxy %h %p %r %n %%',
        'identityfile %d/.ssh/%u@%L',
      );
      assert.equal(expandProxyCommand(settings), 'nc -x proxy web.example 22 you web %');
      assert.deepEqual(settings.identityFiles, ['/home/me/.ssh/me@laptop']);
    });

    it('see which methods are off', () => {
      assert.deepEqual(interpret('pubkeyauthentication true').disabledMethods, []);
      assert.deepEqual(interpret('pubkeyauthentication false', 'passwordauthentication no').disabledMethods, [
        'publickey',
        'password',
      ]);
    });
  });

  describe('of jump hosts', () => {
    const rows: readonly [string, readonly (readonly [string, string | undefined, number | undefined])[]][] =
      [
        ['gate', [['gate', undefined, undefined]]],
        ['me@gate:2222', [['gate', 'me', 2222]]],
        ['me@[::1]:22', [['::1', 'me', 22]]],
        ['ssh://me@gate:2222', [['gate', 'me', 2222]]],
        [
          'a,b@c',
          [
            ['a', undefined, undefined],
            ['c', 'b', undefined],
          ],
        ],
      ];
    for (const [proxyJump, hops] of rows)
      it(proxyJump, () => {
        assert.deepEqual(
          jumpHosts({ proxyJump, originalHost: 'web' }).map((hop) => [hop.host, hop.user, hop.port]),
          hops,
        );
      });
    it('refuse what is no host', () => {
      assert.throws(() => jumpHosts({ proxyJump: '-oX', originalHost: 'web' }), {
        code: 'connection-unsupported',
      });
    });
  });

  describe('without ssh', () => {
    it('come from the configuration file', async () => {
      mkdirSync(join(folder, 'conf.d'));
      writeFileSync(join(folder, 'conf.d', 'a'), 'Host web\n  User included\n');
      writeFileSync(
        join(folder, 'config'),
        [
          'Include conf.d/*',
          'Host web',
          '  HostName web.example',
          '  IdentityFile ~/.ssh/deploy',
          'Host *',
          '  Port 2200',
          '  User last',
        ].join('\n'),
      );
      const lines = await readSshConfigFile('web', undefined, folder);
      const settings = interpretSettings(lines, query, { ...environment, home: homedir() });
      assert.equal(settings.hostname, 'web.example');
      assert.equal(settings.user, 'included');
      assert.equal(settings.port, 2200);
      assert.deepEqual(settings.identityFiles, [join(homedir(), '.ssh/deploy')]);
    });
    it('are the defaults where there is none', async () => {
      assert.equal(await readSshConfigFile('web', undefined, join(folder, 'missing')), '');
      assert.equal(interpret('').port, 22);
    });
  });

  describe('that need openssh', () => {
    const rows: readonly [string, RegExp | undefined][] = [
      ['', undefined],
      ['gssapiauthentication yes', undefined],
      ['gssapiauthentication yes\npreferredauthentications gssapi-with-mic,publickey', /GSSAPI/],
      ['pkcs11provider /usr/lib/opensc.so', /PKCS11/],
      ['pkcs11provider none', undefined],
      ['proxyusefdpass yes', /ProxyUseFdpass/],
      ['hostbasedauthentication yes', /host-based/],
      ['revokedhostkeys none', undefined],
      ['revokedhostkeys /etc/ssh/revoked', /RevokedHostKeys \/etc/],
      ['hostkeyalgorithms ssh-ed25519-cert-v01@openssh.com', /HostKeyAlgorithms ssh-ed25519-cert/],
      ['hostkeyalgorithms ^rsa-sha2-512', undefined],
      ['userknownhostsfile FOLDER/authority', /@cert-authority in .*authority:1/],
      ['hostname other\nuserknownhostsfile FOLDER/authority', undefined],
      ['certificatefile FOLDER/missing-cert.pub', undefined],
      ['certificatefile FOLDER/cert.pub', /certificate .*cert\.pub/],
      ['identityfile FOLDER/plain', undefined],
      ['identityfile FOLDER/signed', /certificate .*signed-cert\.pub/],
      ['identityfile FOLDER/hardware', /hardware key/],
    ];
    for (const [lines, why] of rows)
      it(`${lines.replaceAll('\n', ', ') || 'nothing'}: ${why ?? 'not'}`, async () => {
        for (const name of ['cert.pub', 'plain', 'signed', 'signed-cert.pub', 'hardware'])
          writeFileSync(join(folder, name), 'x');
        writeFileSync(join(folder, 'authority'), '@cert-authority web ssh-ed25519 AAAA');
        writeFileSync(join(folder, 'hardware.pub'), 'sk-ssh-ed25519@openssh.com AAAA me');
        const reason = await needsOpenssh(interpret(...lines.replaceAll('FOLDER', folder).split('\n')));
        if (why === undefined) assert.equal(reason, undefined);
        else assert.match(reason ?? '', why);
      });
  });
});
