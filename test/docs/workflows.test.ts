/** The workflows of .github, as far as a machine without GitHub can tell: they parse, are pinned, may little, and run what there is. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { findTests } from '../runner/plan.ts';

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly needs?: string;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly (string | number)[]>> };
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Yaml {
  load(text: string): Workflow;
}

const yaml: Yaml = createRequire(import.meta.url)('js-yaml');
const manifest: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
const mayWrite: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  github: { contents: 'write' },
  npm: { contents: 'read', 'id-token': 'write' },
};

for (const file of readdirSync('.github/workflows'))
  describe(file, () => {
    const workflow = yaml.load(readFileSync(`.github/workflows/${file}`, 'utf8'));
    const jobs = Object.entries(workflow.jobs);
    const steps = jobs.flatMap(([, job]) => job.steps);

    it('may read, and one job more', () => {
      assert.deepEqual(workflow.permissions, { contents: 'read' });
      for (const [name, job] of jobs)
        if (job.permissions !== undefined) assert.deepEqual(job.permissions, mayWrite[name], name);
    });

    it('uses actions of one version, and ends', () => {
      for (const { uses } of steps)
        if (uses !== undefined) assert.match(uses, /^actions\/[\w-]+@v\d+\.\d+\.\d+$/);
      for (const [name, job] of jobs) {
        assert(job['timeout-minutes'] !== undefined, name);
        if (job.needs !== undefined) assert(job.needs in workflow.jobs, name);
      }
    });

    it('runs scripts and tests that there are', () => {
      for (const [, job] of jobs)
        for (const command of job.steps.flatMap((step) => variants(step.run ?? '', job))) {
          const script = /\bnpm (?:run )?(?!run|ci|audit|publish|sbom)([\w:]+)/.exec(command)?.[1];
          if (script !== undefined) assert(script in manifest.scripts, command);
          const tests = /^npm test -- (.*)/.exec(command)?.[1];
          if (tests !== undefined) assert(findTests(tests.split(' ')).length > 0, tests);
        }
    });
  });

/** The command with each value of the matrix. */
function variants(command: string, job: Job): readonly string[] {
  return Object.entries(job.strategy?.matrix ?? {}).reduce<readonly string[]>(
    (commands, [name, values]) =>
      commands.flatMap((each) =>
        values.map((value) => each.replaceAll(`\${{ matrix.${name} }}`, String(value))),
      ),
    [command],
  );
}
