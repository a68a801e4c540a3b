/** What an unsaved change of durant.conf would do, from what is known. */
import assert from 'node:assert/strict';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { english } from '../../src/format.ts';
import { lensesOf } from '../../src/language/lenses.ts';
import type { ReleaseKnown, StageEntry, StageKnown } from '../../src/views/store.ts';
import { whatIf } from '../../src/views/whatIf.ts';

const entry: StageEntry = {
  file: '/shop/durant.conf',
  stage: 'production',
  line: 1,
  servers: ['web1', 'web2'],
  protected: false,
  branch: 'main',
  identity: undefined,
  user: undefined,
  port: undefined,
  processes: [],
  domain: undefined,
  repository: '.',
  problemMatchers: [],
  keepReleases: 5,
  projectDir: '~/shop',
};

function release(order: number): ReleaseKnown {
  return {
    name: `r${String(order)}`,
    order,
    state: 'finished',
    current: order === 5,
    started: '',
  } as ReleaseKnown;
}

const known: StageKnown = {
  at: 0,
  servers: ['web1', 'web2'].map((server) => ({
    server,
    current: 'r5',
    error: null,
    locked: null,
    hold: null,
    maintenance: false,
    releases: [5, 4, 3, 2, 1].map(release),
  })),
};

const would = (change: Partial<StageEntry>, of: StageKnown | undefined = known): string =>
  whatIf(entry, { ...entry, ...change }, of, english).join(' · ');

describe('what a change of durant.conf would do', () => {
  it('counts the releases that would be removed, each once, and none that a cleanup leaves', () => {
    assert.equal(would({ keepReleases: 2 }), 'would remove 3 releases');
    assert.equal(would({ keepReleases: 4 }), 'would remove 1 release');
    // What is live and what a rollback goes to stay, however few are to be kept.
    assert.equal(would({ keepReleases: 1 }), 'would remove 3 releases');
    assert.equal(would({ keepReleases: 9 }), '');
    assert.equal(whatIf(entry, { ...entry, keepReleases: 2 }, undefined, english).length, 0);
  });

  it('says which servers come and go, where it begins anew, what would be deployed', () => {
    assert.equal(
      would({ servers: ['web1', 'web3'] }),
      'would deploy to web3, too · web2 would stay as it is',
    );
    assert.equal(would({ projectDir: '~/new' }), 'would begin anew in ~/new; ~/shop would stay as it is');
    assert.equal(would({ branch: undefined }), 'would deploy the default branch');
    assert.equal(would({ domain: 'shop.test' }), 'visitors would find it at shop.test');
    assert.equal(would({ protected: true }), 'every run would be asked about');
    assert.equal(would({}), '');
    assert.equal(would({ servers: undefined, keepReleases: undefined }), '');
  });

  it('is the last lens of its stage alone', () => {
    const doc = parseConf('[production]\n[staging]\n');
    const lenses = lensesOf(
      doc,
      () => undefined,
      english,
      (stage) => (stage === 'production' ? ['would remove 3 releases'] : []),
    );
    assert.deepEqual(
      lenses.filter(({ action }) => action === 'what-if').map(({ stage, title }) => `${stage} ${title}`),
      ['production $(lightbulb) would remove 3 releases'],
    );
  });
});
