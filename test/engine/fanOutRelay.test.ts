/** The order in which servers hand on to each other, by letters in place of servers. */
import assert from 'node:assert/strict';
import { setImmediate as turns } from 'node:timers/promises';
import { openRelay } from '../../src/engine/steps/fanOutRelay.ts';

const { signal } = new AbortController();

/** Who has been given a turn, as `SENDER>RECEIVER`; `-` stands for this machine. */
function relayOf(members: string) {
  const relay = openRelay([...members]);
  const given: string[] = [];
  const ask = (member: string, stop = signal) => {
    void relay.turn(member, stop).then(
      (sender) => given.push(`${sender ?? '-'}>${member}`),
      () => given.push(`cancelled ${member}`),
    );
  };
  const take = async () => {
    await turns();
    return given.splice(0).sort().join(' ');
  };
  return { relay, ask, take };
}

describe('the relay of fan_out', () => {
  it('gives it to the first, whoever asks before, then to twice as many each time', async () => {
    const { relay, ask, take } = relayOf('abcdefgh');
    for (const member of 'hgfedcb') ask(member);
    assert.equal(await take(), '');
    ask('a');
    assert.equal(await take(), '->a');
    relay.has('a');
    assert.equal(await take(), 'a>b');
    const handOn = (pairs: string) => {
      for (const pair of pairs.split(' ')) {
        relay.ended(pair[0] ?? '', 'worked');
        relay.has(pair[2] ?? '');
      }
    };
    handOn('a>b');
    assert.equal(await take(), 'a>c b>d');
    handOn('a>c b>d');
    const last = await take();
    assert.deepEqual(last.match(/>./g)?.sort().join(''), '>e>f>g>h');
    assert.equal(new Set(last.match(/.>/g)).size, 4);
    let isFinished = false;
    void relay.finished(signal).then(() => (isFinished = true));
    handOn(last.split(' ').slice(0, 3).join(' '));
    await turns();
    assert.equal(isFinished, false);
    handOn(last.split(' ')[3] ?? '');
    await turns();
    assert.equal(isFinished, true);
  });

  it('goes on without a sender that cannot, by way of the next that has it', async () => {
    const { relay, ask, take } = relayOf('abc');
    for (const member of 'abc') ask(member);
    assert.equal(await take(), '->a');
    relay.has('a');
    assert.equal(await take(), 'a>b');
    relay.ended('a', 'out');
    ask('b');
    assert.equal(await take(), '->b');
    relay.has('b');
    assert.equal(await take(), 'b>c');
  });

  it('gives the rest to this machine, at once, when the first two failed', async () => {
    const { relay, ask, take } = relayOf('abcdef');
    for (const member of 'abcdef') ask(member);
    await take();
    relay.has('a');
    assert.equal(await take(), 'a>b');
    relay.ended('a', 'failed');
    assert.equal(await take(), 'a>c');
    relay.ended('a', 'failed');
    assert.equal(await take(), '->d ->e ->f');
  });

  it('waits for nobody who has left, and for nothing once it is cancelled', async () => {
    const { relay, ask, take } = relayOf('abc');
    const stop = new AbortController();
    ask('b');
    ask('c', stop.signal);
    relay.leave('a');
    assert.equal(await take(), '->b');
    stop.abort();
    assert.equal(await take(), 'cancelled c');
    relay.leave('c');
    relay.leave('b');
    await relay.finished(signal);
  });
});
