/** The matrix: its combinations, the page that it printed, and a few of its cells, which have most in them that is not OpenSSH's or GNU's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { canHaveAccounts } from '../support/sshd.ts';
import { documentPath, isInDocument } from './document.ts';
import { axes, nameOf, pairsOf, pairwise, type Cell } from './kinds.ts';
import { live } from './life.ts';

const cells: readonly Cell[] = [
  { tools: 'busybox', sshd: 'tinysshd', shell: 'fish', client: 'ssh2' },
  { tools: 'toybox', sshd: 'dropbear', shell: 'tcsh', client: 'openssh' },
];

describe('compatibility', function () {
  it('each two kinds are in a combination together', () => {
    const met = new Set(pairwise().flatMap(pairsOf));
    for (const tools of axes.tools)
      for (const sshd of axes.sshd)
        for (const shell of axes.shell)
          for (const client of axes.client)
            for (const pair of pairsOf({ tools, sshd, shell, client })) assert(met.has(pair), pair);
  });

  it('docs/compatibility.md has them all, and all work (npm run compatibility writes it)', () => {
    const document = readFileSync(documentPath, 'utf8');
    const missing = pairwise().filter((cell) => !isInDocument(document, cell, 'works'));
    assert.deepEqual(missing.map(nameOf), []);
  });

  for (const cell of cells)
    it(`a whole life: ${nameOf(cell)}`, async function () {
      if (!(await canHaveAccounts())) this.skip();
      assert.equal(await live(cell), undefined);
    });
});
