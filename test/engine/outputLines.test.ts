import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { createMasker } from '../../src/config/values/mask.ts';
import { outputLines } from '../../src/engine/run/outputLines.ts';

interface Told {
  readonly stream: string;
  readonly text: string;
  readonly lineEnd: string;
}

function tellAll(secrets: readonly string[], chunks: readonly Buffer[]): readonly Told[] {
  const mask = createMasker(secrets);
  const told: Told[] = [];
  const lines = outputLines(mask, (stream, line, lineEnd) =>
    told.push({ stream, text: mask(line), lineEnd }),
  );
  for (const chunk of chunks) lines.write('stdout', chunk);
  lines.end();
  return told;
}

describe('output as lines', () => {
  it('are those that were written, however the chunks fall', () => {
    const text = fc
      .array(fc.constantFrom('a', 'ü', '🎉', '\n', '\r\n', ' '), { maxLength: 40 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 5 }), (written, size) => {
        const bytes = Buffer.from(written);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const told = tellAll([], chunks);
        assert.equal(told.map(({ text: line, lineEnd }) => line + lineEnd).join(''), written);
        assert.ok(told.every(({ text: line }) => !line.includes('\n')));
      }),
    );
  });

  it('a line without end comes in pieces, and hides a secret wherever it is cut', () => {
    const secret = 'a secret of some length';
    const filler = 'x'.repeat(1000 - secret.length);
    // So that every cut falls elsewhere.
    const chunks = Array.from({ length: 1000 }, (_, index) =>
      Buffer.from('y'.repeat(index % 7) + filler + secret),
    );
    const told = tellAll([secret], chunks);
    const all = told.map(({ text }) => text).join('');
    assert.ok(told.length > 10);
    assert.ok(told.every(({ text }) => text.length < 70_000));
    assert.equal(all.match(/\*\*\*/g)?.length, 1000);
    assert.doesNotMatch(all, /[^xy*]/);
  });

  it('looks at each character a few times, however long the line', () => {
    let looked = 0;
    const plain = createMasker(['a secret of some length']);
    const mask = Object.assign(
      (text: string) => {
        looked += text.length;
        return plain(text);
      },
      { longest: plain.longest },
    );
    const lines = outputLines(mask, () => undefined);
    const chunk = Buffer.alloc(4096, 'x');
    for (let written = 0; written < 16 << 20; written += chunk.length) lines.write('stdout', chunk);
    lines.end();
    assert.ok(looked < 20 << 20, `${looked} characters`);
  });
});
