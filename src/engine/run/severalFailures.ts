/** Failures of several servers as one: all of them are named, and what each says is kept. */
import { DurantError } from '../../errors.ts';

/**
 * The first of them tells code and remedy; what the others say follows as output.
 * @param failures each with its server; at least one.
 * @param total how many servers were worked on.
 */
export function severalFailures(failures: readonly DurantError[], total: number): DurantError {
  const [first, ...others] = failures;
  if (first === undefined) throw new RangeError('There is no failure to tell of.');
  if (others.length === 0) return first;
  const names = failures.map(({ server }) => server ?? 'this machine');
  return new DurantError(
    first.code,
    `${failures.length} of ${total} servers failed: ${names.join(', ')}. ${first.summary}`,
    {
      remedy: first.remedy,
      output: [first.output, ...others.map(({ message }) => message)]
        .filter((text) => text !== '')
        .join('\n'),
      data: first.data,
      changed: failures.some(({ changed }) => changed),
      server: first.server,
      cause: first,
    },
  );
}
