/** `durant check`: mistakes in durant.conf; with `--connect` also a look at the servers. */
import { flag } from '../optionValues.ts';
import { asDurantError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { toProblemJson } from '../../config/syntax/problemJson.ts';
import { stageNames } from '../../config/values/stage.ts';
import { validate } from '../../config/rules/validate.ts';
import type { Assessment } from '../../engine/operations/check.ts';
import type { Context } from '../context.ts';
import { collectFacts } from '../machineFacts.ts';
import { printJson } from '../json.ts';
import { printLine, type Colors } from '../output.ts';
import { printable, printableLines } from '../../printable.ts';
import { hasErrors, problemLines, problemTotals } from '../problemLines.ts';
import { chosenStages, openProject, type Project } from '../project.ts';

export const check = defineCommand({
  name: 'check',
  summary: 'Check durant.conf for mistakes; with --connect also the servers.',
  help: `
Without --connect nothing is contacted and no command is run. With it, every assessment that a
deploy makes before it begins is made on every server, and nothing is changed.

Examples:
  durant check
  durant check --connect production

Exit status: 2 if durant.conf has an error, 1 if an assessment failed.`,
  args: '[STAGE]',
  options: [['--connect', 'also look at the servers as a deploy would, changing nothing']],
  read([stage], options) {
    return { stage, connect: flag(options, 'connect') };
  },
  async run(wanted, context) {
    const { options, output, env, interruption } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { doc, shown } = project;
    // A file that is no text has that one problem.
    const isText = doc.problems[0]?.code !== 'not-utf8';
    const mayHaveStages = isText && (wanted.stage !== undefined || stageNames(doc).length > 0);
    const stages = mayHaveStages ? chosenStages(project, wanted.stage) : [];
    const facts = await collectFacts(project, stages, { env, signal: interruption.signal });
    const problems = (isText ? validate(doc, wanted.stage, facts) : doc.problems).map((problem) =>
      toProblemJson(doc, problem),
    );
    const invalid = hasErrors(problems);
    const names = stages.map(({ name }) => name);
    const assessments = wanted.connect && !invalid ? await assessStages(project, names, context) : undefined;
    const failed = assessments?.some(({ ok }) => !ok) === true;

    if (options.json)
      printJson(output, {
        ok: !invalid && !failed,
        problems,
        ...(assessments === undefined ? {} : { assessments }),
      });
    else {
      for (const line of problemLines(shown, problems, output.color)) printLine(output.stdout, line);
      for (const line of assessmentLines(assessments ?? [], output.color)) printLine(output.stdout, line);
      printLine(output.stdout, verdict(shown, problems.length === 0 ? undefined : problemTotals(problems)));
      if (wanted.connect && invalid)
        printLine(output.stderr, 'The servers were not checked: fix the errors first.');
    }
    if (invalid) return 2;
    return failed ? 1 : 0;
  },
});

function verdict(file: string, totals: string | undefined): string {
  return `${printable(file)}: ${totals ?? 'no problems'}`;
}

function assessmentLines(assessments: readonly Assessment[], color: Colors): string[] {
  return assessments.map(({ server, step, ok, message }) => {
    const mark = ok ? color.green('ok    ') : color.red('failed');
    return `${mark}  ${printable(server ?? 'here')}  ${printable(step)}: ${printableLines(message)}`;
  });
}

/** Looks at the servers of each stage; a stage that cannot be assessed does not hide the others. */
async function assessStages(
  project: Project,
  stages: readonly string[],
  context: Context,
): Promise<readonly Assessment[]> {
  const { engine, openSession } = await import('../engine.ts');
  const { host, emit, signal, pipelineRequest } = openSession(context, 'only for people');
  const all: Assessment[] = [];
  for (const stage of stages) {
    try {
      all.push(...(await engine.assessStage(await pipelineRequest(project, stage), host, emit, signal)));
    } catch (error) {
      const { code, message } = asDurantError(error);
      if (code === 'cancelled') throw error;
      all.push({ server: null, step: 'resolve', ok: false, message: `[${stage}] ${message}` });
    }
  }
  return all;
}
