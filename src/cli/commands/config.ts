/** `durant config`: what each option of a stage is and where it comes from; `--raw`: what Python's configparser reads. */
import { flag } from '../optionValues.ts';
import { defineCommand } from '../command.ts';
import { withoutSecrets } from '../../config/secretNames.ts';
import {
  configJson,
  rawConfig,
  type ConfigJson,
  type JsonValue,
  type RawConfigJson,
} from '../../config/values/stage.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printLine, type Colors } from '../output.ts';
import { printable } from '../../printable.ts';
import { hasErrors, problemLines } from '../problemLines.ts';
import { chosenStages, openProject, type Project } from '../project.ts';

export const config = defineCommand({
  name: 'config',
  summary: 'Show the effective options of a stage, and where each comes from.',
  help: `
Nothing is run or contacted: sh!, env!, secret! and the like are shown as they are written. Secrets that are
written out are shown as ***; --raw shows them.

Examples:
  durant config production
  durant config --raw --json     the file as Python's configparser reads it`,
  args: '[STAGE]',
  options: [['--raw', "the file as Python's configparser reads it"]],
  read([stage], options) {
    return { stage, raw: flag(options, 'raw') };
  },
  async run(wanted, context) {
    const { cwd, options, output } = context;
    const project = await openProject({ cwd, config: options.config });
    if (wanted.raw) return showRaw(project, wanted.stage, context);
    const stages = chosenStages(project, wanted.stage).map((stage) => masked(configJson(stage)));
    const [only] = stages;
    if (options.json) printJson(output, wanted.stage !== undefined && only !== undefined ? only : stages);
    else
      for (const line of stages.flatMap((stage) => configLines(stage, project.shown, output.color)))
        printLine(output.stdout, line);
    return 0;
  },
});

/** Without the secrets that are written out: people paste what this prints. */
function masked(config: ConfigJson): ConfigJson {
  const options = Object.entries(config.options).map(([key, entry]) => {
    const value = maskedValue(entry.value);
    if (String(value) === String(entry.value)) return [key, entry] as const;
    return [key, { ...entry, value, raw: [value].flat().join('\n') }] as const;
  });
  return { ...config, options: Object.fromEntries(options) };
}

function maskedValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return withoutSecrets(value);
  return Array.isArray(value) ? value.map(withoutSecrets) : value;
}

function configLines({ stage, options }: ConfigJson, file: string, color: Colors): string[] {
  const from = (entry: ConfigJson['options'][string]): string => {
    if (entry.from === 'default') return color.dim('  # default');
    const section = entry.from === 'stage' ? '' : ' [DEFAULT]';
    return color.dim(`  # ${printable(file)}:${String(entry.line)}${section}`);
  };
  return [
    color.bold(`[${printable(stage)}]`),
    ...Object.entries(options).flatMap(([key, entry]) => {
      const [first = '', ...more] = valueLines(entry.value, entry.raw);
      return [`${`${key} = ${first}`.trimEnd()}${from(entry)}`, ...more.map((line) => `  ${line}`)];
    }),
    '',
  ];
}

/** A value as it could stand in the file; of lists one item a line. */
function valueLines(value: JsonValue, raw: string): string[] {
  if (Array.isArray(value)) return value.length > 1 ? ['', ...value.map(printable)] : value.map(printable);
  // Durations and booleans read best as they were written.
  return (typeof value === 'string' ? value : raw).split('\n').map(printable);
}

function showRaw(project: Project, stage: string | undefined, { options, output }: Context): number {
  const all = rawConfig(project.doc);
  const names =
    stage === undefined ? undefined : new Set(chosenStages(project, stage).map(({ name }) => name));
  const raw: RawConfigJson = {
    ...all,
    sections: Object.fromEntries(Object.entries(all.sections).filter(([name]) => names?.has(name) !== false)),
  };
  if (options.json) printJson(output, raw);
  else {
    for (const line of rawLines(raw, output.color)) printLine(output.stdout, line);
    for (const line of problemLines(project.shown, raw.problems, output.errorColor))
      printLine(output.stderr, line);
  }
  return hasErrors(raw.problems) ? 2 : 0;
}

function rawLines({ defaults, sections }: RawConfigJson, color: Colors): string[] {
  const section = (name: string, options: Readonly<Record<string, string>>): string[] => [
    color.bold(`[${printable(name)}]`),
    ...Object.entries(options).map(
      ([key, value]) => `${printable(key)} = ${value.split('\n').map(printable).join('\n  ')}`,
    ),
    '',
  ];
  return [
    ...(Object.keys(defaults).length === 0 ? [] : section('DEFAULT', defaults)),
    ...Object.entries(sections).flatMap(([name, options]) => section(name, options)),
  ];
}
