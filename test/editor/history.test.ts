/** The history of all stages, without an editor: its items, what went live between two runs, and its picture. */
import assert from 'node:assert/strict';
import type { HistoryEntry } from '../../src/engine/index.ts';
import { english } from '../../src/format.ts';
import { betweenText } from '../../src/views/betweenRuns.ts';
import { belowRun, historyItem, historyRoots, type RunNode } from '../../src/views/history.ts';
import type { View } from '../../src/views/item.ts';
import { lanesHtml } from '../../src/views/lanes.ts';

const view: View = {
  now: Date.parse('2026-05-01T12:00:00Z'),
  t: english,
  localTime: (date) => `local ${date}`,
};
const id = (digit: number): string => String(digit).repeat(40);

function entry(run: string, started: string, more: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    run,
    action: 'deploy',
    started,
    ms: 4000,
    user: 'ada',
    host: 'laptop',
    commit: id(2),
    from_commit: id(1),
    release: 'r2',
    ok: true,
    error: null,
    servers: ['web1'],
    ...more,
  };
}

const stage = { file: '/shop/durant.conf', stage: 'production', name: 'production' };
const node = (run: HistoryEntry): RunNode => ({ kind: 'run', ...stage, run });
const failure = entry('b', '2026-05-01T11:30:00Z', {
  ok: false,
  error: { code: 'health-check-failed', message: '/ answers 500 <script>' },
});
const first = entry('a', '2026-05-01T10:00:00Z');
const label = (of: RunNode): string => {
  const { label: said, description } = historyItem(of, view, () => false);
  return `${said} [${description}]`;
};

describe('the history', () => {
  it('has the runs of all stages, newest first, below the servers that could not be asked', () => {
    const roots = historyRoots([
      { ...stage, runs: [failure, first], errors: [{ server: 'web2', error: 'no route' }] },
      { ...stage, stage: 'staging', name: 'staging', runs: [entry('c', '2026-05-01T11:00:00Z')], errors: [] },
    ]);
    assert.deepEqual(
      roots.map((root) => historyItem(root, view, () => false).label),
      ['web2', 'production: deploy failed', 'staging: deployed', 'production: deployed'],
    );
  });

  it('says who, when, how long and which commits', () => {
    assert.equal(
      label(node(first)),
      'production: deployed [1111111 → 2222222 · 2 h ago · ada@laptop · 4.0 s]',
    );
    const old = entry('x', '2026-04-01T10:00:00Z', { run: null, ms: null, from_commit: null, servers: [] });
    assert.equal(label(node(old)), 'production: deployed [2222222 · 30 days ago · ada@laptop]');
  });

  it('has the error of a run first, then its commits, and says where they are not known', () => {
    const texts = (of: RunNode, commits: Parameters<typeof belowRun>[1]): readonly string[] =>
      belowRun(of, commits, english).map((each) => historyItem(each, view, () => false).label);
    assert.deepEqual(texts(node(failure), [{ id: id(2), subject: 'Second', author: 'Ada <a@b>' }]), [
      '/ answers 500 <script>',
      'Second',
      'web1',
    ]);
    assert.deepEqual(texts(node(first), undefined), ['Its commits are not in the clone here', 'web1']);
  });

  it('between two runs is Markdown in which a subject is nothing but text', () => {
    const text = betweenText(
      {
        older: node(first),
        newer: node(failure),
        gained: [{ id: id(3), subject: '[x](http://evil) | `a`', author: 'Ada <a@b>' }],
        lost: [],
        runs: [failure, first],
      },
      view,
    );
    assert.ok(
      text.includes(
        String.raw`- \`3333333\` \[x\]\(http://evil\) \| \`a\` — Ada`.replaceAll(
          '\\`3333333\\`',
          '`3333333`',
        ),
      ),
      text,
    );
    assert.match(text, /## Runs \(2\)/);
  });

  it('as a picture has a lane for each stage, in the colours of the theme, and runs nothing', () => {
    const html = lanesHtml([{ ...stage, runs: [failure, first], errors: [] }], view, 'abc');
    assert.match(html, /default-src 'none'; style-src 'nonce-abc'/);
    assert.doesNotMatch(html, /<script| style=|https?:/);
    assert.match(html, /&lt;script&gt;/);
    assert.match(html, /<h2>production /);
    assert.equal(html.match(/role="img"/g)?.length, 2);
    assert.match(lanesHtml([], view, 'abc'), /No run is known yet/);
  });

  it('as a picture names days, none of them over another', () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      entry(
        `r${String(index)}`,
        new Date(Date.parse('2026-05-01T11:00:00Z') - index * 40_000_000).toISOString(),
      ),
    );
    const html = lanesHtml(
      [{ ...stage, runs, errors: [] }],
      { ...view, localDay: (date) => date.slice(5, 10) },
      'n',
    );
    const days = /<svg class="days">(.*?)<\/svg>/.exec(html)?.[1] ?? '';
    const extents = [...days.matchAll(/x="([\d.]+)%" y="14"( text-anchor="end")?>(\d\d-\d\d)</g)].map(
      ([, x, end]) => (end === undefined ? [Number(x), Number(x) + 12] : [Number(x) - 12, Number(x)]),
    );
    assert.ok(extents.length > 3, days);
    for (const [index, [begin = 0]] of extents.entries())
      assert.ok(index === 0 || begin >= (extents[index - 1]?.[1] ?? 0) - 0.1, days);
  });

  it('as a picture leaves room between runs that were close to each other', () => {
    const runs = Array.from({ length: 80 }, (_, index) =>
      entry(`r${String(index)}`, new Date(Date.parse('2026-05-01T11:00:00Z') - index * 1000).toISOString()),
    );
    const html = lanesHtml(
      [{ ...stage, runs: [...runs, entry('old', '2025-05-01T10:00:00Z')], errors: [] }],
      view,
      'n',
    );
    const xs = [...html.matchAll(/<svg x="([\d.]+)%"/g)].map((match) => Number(match[1]));
    assert.equal(xs.length, 60);
    assert.ok(
      xs.every((x, index) => index === 0 || x - (xs[index - 1] ?? 0) >= 1.39),
      xs.join(' '),
    );
    assert.ok(xs.every((x) => x >= 0 && x <= 100));
  });
});
