/** `durant check`: mistakes in durant.conf; with `--connect` also a look at the servers. */
import { toProblemJson } from '../../config/problems.ts';
import { validate } from '../../config/validate.ts';
import type { Assessment } from '../../engine/check.ts';
import type { Context } from '../context.ts';
import { collectFacts } from '../facts.ts';
import type { CommandOf } from '../invocation.ts';
import { printJson } from '../json.ts';
import { printLine, type Colors } from '../output.ts';
import { printable, printableLines } from '../printable.ts';
import { hasErrors, problemLines, problemTotals } from '../problemLines.ts';
import { chosenStages, openProject } from '../project.ts';

export async function check(command: CommandOf<'check'>, context: Context): Promise<number> {
  const { options, output, env, interruption } = context;
  const project = await openProject({ cwd: context.cwd, config: options.config });
  const { doc, shown } = project;
  const stages = chosenStages(project, command.stage);
  const facts = await collectFacts(project, stages, { env, signal: interruption.signal });
  const problems = validate(doc, command.stage, facts).map((problem) => toProblemJson(doc, problem));
  const invalid = hasErrors(problems);
  const names = stages.map(({ name }) => name);
  // Loaded when it is wanted: a check of the text needs no ssh.
  const assessments =
    command.connect && !invalid
      ? await (await import('../assessStages.ts')).assessStages(project, names, context)
      : undefined;
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
    if (command.connect && invalid)
      printLine(output.stderr, 'The servers were not looked at: correct the errors first.');
  }
  if (invalid) return 2;
  return failed ? 1 : 0;
}

function verdict(file: string, totals: string | undefined): string {
  return `${printable(file)}: ${totals ?? 'no problems'}`;
}

function assessmentLines(assessments: readonly Assessment[], color: Colors): string[] {
  return assessments.map(({ server, step, ok, message }) => {
    const mark = ok ? color.green('ok    ') : color.red('failed');
    return `${mark}  ${printable(server ?? 'here')}  ${printable(step)}: ${printableLines(message)}`;
  });
}
