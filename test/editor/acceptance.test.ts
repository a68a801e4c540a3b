import assert from 'node:assert/strict';
import { createAcceptance, secretName, type Acceptance } from '../../src/engineProcess/acceptance.ts';
import type { Question } from '../../src/engineProcess/protocol.ts';

const passphrase = (server: string, attempt = 1): Question => ({
  kind: 'passphrase',
  server,
  message: '',
  path: '/key',
  attempt,
});
const password = (server: string): Question => ({
  kind: 'password',
  server,
  message: '',
  user: 'u',
  host: server,
  port: 22,
  attempt: 1,
});
const secret: Question = { kind: 'secret', server: null, message: '', name: 'word' };

describe('the name that a password is remembered by', () => {
  it('has the port, where it is not the usual one', () => {
    const asked = { kind: 'password', server: 'a', message: '', user: 'u', host: 'a', attempt: 1 } as const;
    assert.equal(secretName({ ...asked, port: 22 }), 'password u@a');
    assert.equal(secretName({ ...asked, port: undefined }), 'password u@a');
    assert.equal(secretName({ ...asked, port: 2222 }), 'password u@a:2222');
  });
});

describe('whether an answer was right', () => {
  const rows: readonly (readonly [
    title: string,
    play: (acceptance: Acceptance) => readonly Promise<boolean>[],
    expected: readonly boolean[],
  ])[] = [
    [
      'is known when its server is connected',
      (call) => {
        const asked = [call.of(passphrase('a')), call.of(password('b'))];
        call.connected('a');
        call.connected('b');
        return asked;
      },
      [true, true],
    ],
    [
      'is not said where its server is never connected, and the call ends well all the same',
      (call) => {
        const asked = [call.of(passphrase('a')), call.of(password('b'))];
        call.connected('b');
        call.ended('well');
        return asked;
      },
      [false, true],
    ],
    [
      'is no where it is asked again',
      (call) => {
        const asked = [call.of(passphrase('a')), call.of(passphrase('a', 2))];
        call.connected('a');
        return asked;
      },
      [false, true],
    ],
    [
      'is no for each of three wrong ones',
      (call) => {
        const asked = [1, 2, 3].map((attempt) => call.of(passphrase('a', attempt)));
        call.ended('badly');
        return asked;
      },
      [false, false, false],
    ],
    [
      'is told by the end of the call for what is asked of a connected server, as by sudo',
      (call) => {
        call.connected('a');
        const asked = [call.of(password('a'))];
        call.ended('well');
        return asked;
      },
      [true],
    ],
    [
      'is not said where sudo took none of them',
      (call) => {
        call.connected('a');
        const asked = [call.of(password('a')), call.of(password('a'))];
        call.ended('badly');
        return asked;
      },
      [false, false],
    ],
    ['is taken for granted of a secret, which nobody can try', (call) => [call.of(secret)], [true]],
  ];
  for (const [title, play, expected] of rows)
    it(title, async () => assert.deepEqual(await Promise.all(play(createAcceptance())), expected));
});
