/** Runs in the extension host: mocha over the bundled suites, and every step of it to the outer test. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** What the outer test tells this one. */
export interface HostTestPlan {
  /** Bundled suites. */
  readonly files: readonly string[];
  /** Path of the socket that takes the events, one JSON object a line. */
  readonly socket: string;
  /** A regular expression on full titles. */
  readonly grep?: string | undefined;
}

export type HostEvent =
  | { readonly event: 'announced'; readonly tests: number }
  | { readonly event: 'began' | 'passed' | 'skipped'; readonly title: string }
  | { readonly event: 'failed' | 'hook-failed'; readonly title: string; readonly error: string }
  | { readonly event: 'ended' };

/** Rejects where a test failed. */
export async function runHostTests(plan: HostTestPlan): Promise<void> {
  const outer = connect(plan.socket);
  await once(outer, 'connect');
  const tell = (event: HostEvent): void => {
    outer.write(`${JSON.stringify(event)}\n`);
  };
  // Mocha is an ES module, the suite's bundle is not.
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({
    timeout: 180_000,
    reporter: 'min',
    ...(plan.grep === undefined ? {} : { grep: new RegExp(plan.grep) }),
  });
  for (const file of plan.files) mocha.addFile(file);
  const failures = await new Promise<number>((done) => {
    const runner = mocha.run(done);
    tell({ event: 'announced', tests: runner.total });
    runner.on('test', (test) => {
      tell({ event: 'began', title: test.fullTitle() });
    });
    runner.on('hook', (hook) => {
      tell({ event: 'began', title: hook.fullTitle() });
    });
    runner.on('pass', (test) => {
      tell({ event: 'passed', title: test.fullTitle() });
    });
    runner.on('pending', (test) => {
      tell({ event: 'skipped', title: test.fullTitle() });
    });
    runner.on('fail', (test, error: unknown) => {
      tell({
        event: String(test.type) === 'hook' ? 'hook-failed' : 'failed',
        title: test.fullTitle(),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
  });
  tell({ event: 'ended' });
  await new Promise<void>((done) => {
    outer.end(done);
  });
  if (failures > 0) throw new Error(`${String(failures)} failed`);
}
