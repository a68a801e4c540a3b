/** Runs suites inside a real VS Code's extension host and reports each of their tests as one of ours. */
import { Test } from 'mocha';
import assert from 'node:assert/strict';
import { startEditorHost, type EditorHost, type HostWindow } from './editorHost.ts';
import type { HostOutcome } from './hostEvents.ts';
import type { Age } from './server.ts';

/** Declares a mocha suite for each window, whose tests are those of its suites. All windows share one VS Code server and one browser. */
export function describeInVsCode(age: Age, windows: Readonly<Record<string, HostWindow>>): void {
  describe(`in VS Code (${age})`, function () {
    // Each step inside has a limit of its own.
    this.timeout(0);
    let host: EditorHost | undefined;

    before(async () => {
      host = await startEditorHost(age);
    });

    after(async () => {
      await host?.end();
    });

    for (const [title, window] of Object.entries(windows))
      describe(title, () => {
        let outcome: HostOutcome | undefined;

        before(async function () {
          outcome = await host?.run(window);
          // A suite needs a test of its own for its hooks to run; the others are added here.
          for (const result of outcome?.results ?? []) this.test?.parent?.addTest(testOf(result));
        });

        it('has a result for every test that was announced', () => {
          assert.ok(outcome);
          if (outcome.incomplete !== undefined) assert.fail(outcome.incomplete);
        });
      });
  });
}

function testOf({ title, state, error }: HostOutcome['results'][number]): Test {
  if (state === 'skipped') return new Test(title);
  return new Test(title, () => {
    if (error !== undefined) assert.fail(error);
  });
}
