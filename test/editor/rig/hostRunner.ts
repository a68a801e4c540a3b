/** Runs in the extension host: mocha over the bundled suites, and what came of each test into a file. */
import { appendFileSync } from 'node:fs';

/** What the outer test tells this one through the environment. */
export interface HostTestPlan {
  /** Bundled suites. */
  readonly files: readonly string[];
  /** Where each test's result goes, one JSON object a line. */
  readonly results: string;
  readonly grep?: string | undefined;
}

export interface HostTestResult {
  readonly title: string;
  /** Undefined: passed. */
  readonly error?: string | undefined;
}

export const planVariable = 'DURANT_HOST_TESTS';

/** What VS Code calls. Rejects where a test failed. */
export async function run(): Promise<void> {
  const plan = JSON.parse(process.env[planVariable] ?? '') as HostTestPlan;
  // Mocha is an ES module, the suite's bundle is not.
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({
    timeout: 60_000,
    reporter: 'min',
    ...(plan.grep === undefined ? {} : { grep: plan.grep }),
  });
  for (const file of plan.files) mocha.addFile(file);
  const failures = await new Promise<number>((done) => {
    const runner = mocha.run(done);
    const note = (result: HostTestResult): void => {
      appendFileSync(plan.results, `${JSON.stringify(result)}\n`);
    };
    runner.on('pass', (test) => {
      note({ title: test.fullTitle() });
    });
    runner.on('fail', (test, error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      note({ title: test.fullTitle(), error: text });
    });
  });
  if (failures > 0) throw new Error(`${String(failures)} failed`);
}
