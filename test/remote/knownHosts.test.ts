/** known_hosts: the matcher by table, its answers compared with ssh-keygen's on generated files. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  fingerprint,
  formatKnownHostsLine,
  hostKeyFromBlob,
  judgeHostKey,
  knownHostsName,
  matchesName,
  orderHostKeyAlgorithms,
  parseKnownHosts,
  type HostKey,
} from '../../src/remote/knownHosts.ts';

function makeKey(type: string): HostKey {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return hostKeyFromBlob(Buffer.concat([length, name, randomBytes(40)]));
}
const key = makeKey('ssh-ed25519');
const other = makeKey('ssh-ed25519');
const rsa = makeKey('ssh-rsa');
const text = ({ type, blob }: HostKey) => `${type} ${blob.toString('base64')}`;

describe('known_hosts', () => {
  describe('judges', () => {
    const rows: readonly {
      readonly what: string;
      readonly lines: readonly string[];
      readonly name?: string;
      readonly verdict: string;
      readonly line?: number;
    }[] = [
      { what: 'an empty file', lines: [''], verdict: 'unknown' },
      { what: 'a plain name', lines: [`web ${text(key)}`], verdict: 'trusted', line: 1 },
      { what: 'a name in another case', lines: [`Web ${text(key)}`], verdict: 'trusted' },
      { what: 'one of several names', lines: [`a,web,b ${text(key)} comment`], verdict: 'trusted' },
      {
        what: 'comments and rubbish',
        lines: ['# web', 'web', '@what web', `web ${text(key)}`],
        verdict: 'trusted',
        line: 4,
      },
      { what: 'a hashed name', lines: [formatKnownHostsLine('web', key, 'hashed')], verdict: 'trusted' },
      {
        what: 'a hash of another name',
        lines: [formatKnownHostsLine('web2', key, 'hashed')],
        verdict: 'unknown',
      },
      { what: 'a wildcard', lines: [`w?b ${text(key)}`], verdict: 'trusted' },
      { what: 'a negated name', lines: [`*,!web ${text(key)}`], verdict: 'unknown' },
      { what: 'a dot, which is no wildcard', lines: [`w.b ${text(key)}`], verdict: 'unknown' },
      { what: 'a port', lines: [`[web]:2222 ${text(key)}`], name: '[web]:2222', verdict: 'trusted' },
      {
        what: 'a wildcard of hosts on a port',
        lines: [`[*]:2222 ${text(key)}`],
        name: '[web]:2222',
        verdict: 'trusted',
      },
      {
        what: 'a plain name for another port',
        lines: [`web ${text(key)}`],
        name: '[web]:2222',
        verdict: 'trusted',
      },
      {
        what: 'another key under the plain name',
        lines: [`web ${text(other)}`],
        name: '[web]:2222',
        verdict: 'unknown',
      },
      { what: 'another port', lines: [`[web]:2223 ${text(key)}`], name: '[web]:2222', verdict: 'unknown' },
      { what: 'another key of the type', lines: ['', `web ${text(other)}`], verdict: 'changed', line: 2 },
      {
        what: 'another key and the right one',
        lines: [`web ${text(other)}`, `web ${text(key)}`],
        verdict: 'trusted',
        line: 2,
      },
      { what: 'a key of another type', lines: [`web ${text(rsa)}`], verdict: 'unknown' },
      {
        what: 'a revoked key',
        lines: [`web ${text(key)}`, `@revoked * ${text(key)}`],
        verdict: 'revoked',
        line: 2,
      },
      {
        what: 'a revoked key under the plain name',
        lines: [`@revoked web ${text(key)}`],
        name: '[web]:2222',
        verdict: 'revoked',
      },
      {
        what: 'another revoked key',
        lines: [`web ${text(key)}`, `@revoked web ${text(other)}`],
        verdict: 'trusted',
      },
      {
        what: 'an authority',
        lines: [`@cert-authority * ${text(other)}`],
        verdict: 'certificate-authority',
        line: 1,
      },
      {
        what: 'an authority and a plain key',
        lines: [`@cert-authority * ${text(other)}`, `web ${text(key)}`],
        verdict: 'trusted',
      },
      { what: 'CRLF', lines: [`web ${text(key)}\r`, '\r'], verdict: 'trusted' },
    ];
    for (const row of rows)
      it(`${row.what}: ${row.verdict}`, () => {
        const entries = parseKnownHosts(row.lines.join('\n'), 'file');
        const verdict = judgeHostKey(entries, row.name ?? 'web', key);
        assert.equal(verdict.kind, row.verdict);
        if (row.line !== undefined) assert.equal('entry' in verdict && verdict.entry.line, row.line);
      });

    it('several files, and says which', () => {
      const entries = [
        ...parseKnownHosts(`db ${text(key)}`, 'one'),
        ...parseKnownHosts(`\nweb ${text(other)}`, 'two'),
      ];
      const verdict = judgeHostKey(entries, 'web', key);
      assert.equal(verdict.kind === 'changed' && `${verdict.entry.file}:${verdict.entry.line}`, 'two:2');
    });

    it('unknown with the types that are known', () => {
      const verdict = judgeHostKey(parseKnownHosts(`web ${text(rsa)}`, 'f'), 'web', key);
      assert.deepEqual(verdict, { kind: 'unknown', otherTypes: ['ssh-rsa'] });
    });
  });

  it('looks hosts up as ssh does', () => {
    assert.equal(knownHostsName('Web', 22, undefined), 'web');
    assert.equal(knownHostsName('web', 2222, undefined), '[web]:2222');
    assert.equal(knownHostsName('::1', 22, undefined), '::1');
    assert.equal(knownHostsName('web', 2222, 'Alias'), 'alias');
  });

  it('offers the types that are known first', () => {
    const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
    const order = (lines: string) =>
      orderHostKeyAlgorithms(algorithms, parseKnownHosts(lines, 'f'), '[web]:2222');
    assert.deepEqual(order(`[web]:2222 ${text(rsa)}`).slice(0, 2), ['rsa-sha2-512', 'rsa-sha2-256']);
    assert.deepEqual(order(`db ${text(rsa)}`), algorithms);
    assert.deepEqual(order(`@revoked * ${text(rsa)}`), algorithms);
    assert.deepEqual(order(`web ${text(rsa)}`)[0], 'rsa-sha2-512');
  });

  it('never throws, whatever is in the file', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (content, name) => {
        judgeHostKey(parseKnownHosts(content, 'f'), name, key);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[!*?a-c.,|[\]:1]{0,12}$/), (names) => {
        matchesName(names, 'a.b');
      }),
    );
  });

  describe('as ssh-keygen', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'known-hosts-'));
    });
    after(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it('finds what it finds, hashed or not', function () {
      const file = join(folder, 'known_hosts');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
      const real = readFileSync(join(folder, 'key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
      const host = fc.stringMatching(/^[ab]{1,2}(\.[ab]{1,2})?$/);
      const pattern = fc.stringMatching(/^!?[ab*?]{1,2}(\.[ab*?]{1,2})?$/);
      fc.assert(
        fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), host, (patterns, name) => {
          const names = patterns.join(',');
          writeFileSync(file, `${names} ${real}\n`);
          const found = spawnSync('ssh-keygen', ['-F', name, '-f', file]).status === 0;
          assert.equal(matchesName(names, name), found, `${names} ${name}`);
        }),
        { numRuns: 60 },
      );
      for (const name of ['web', '[web]:2222']) {
        writeFileSync(
          file,
          `${formatKnownHostsLine(name, { type: real.split(' ')[0] ?? '', blob: Buffer.from(real.split(' ')[1] ?? '', 'base64') }, 'hashed')}\n`,
        );
        assert.equal(spawnSync('ssh-keygen', ['-F', name, '-f', file]).status, 0);
        assert.equal(spawnSync('ssh-keygen', ['-F', 'web3', '-f', file]).status, 1);
      }
      const shown = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'key.pub')], { encoding: 'utf8' });
      assert.equal(fingerprint(Buffer.from(real.split(' ')[1] ?? '', 'base64')), shown.split(' ')[1]);
    });
  });
});
