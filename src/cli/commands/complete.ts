/** `durant __complete`: what could stand in place of the last word, one a line, with a tab before its description. No network, no resolvers. */
import { configJson, stageNames, resolveStage } from '../../config/values/stage.ts';
import type { Context } from '../context.ts';
import { commandGrammar, type Grammar, type OptionGrammar } from '../grammar.ts';
import { SHELLS } from './completion.ts';
import { printLine } from '../output.ts';
import { openProject, type Project } from '../project.ts';

export async function complete(words: readonly string[], context: Context): Promise<number> {
  const said = readWords(words, commandGrammar());
  const project = await openProject({ cwd: context.cwd, config: said.config }).catch(() => undefined);
  for (const { word, summary } of candidates(said, project))
    if (word.startsWith(said.last))
      printLine(context.output.stdout, summary === '' ? word : `${word}\t${summary}`);
  return 0;
}

interface Candidate {
  readonly word: string;
  readonly summary: string;
}

/** A command line that is being written. */
interface Said {
  readonly grammar: Grammar;
  readonly command: Grammar['commands'][number] | undefined;
  /** Arguments before the last word, without options. */
  readonly args: readonly string[];
  readonly config: string | undefined;
  /** The option whose value the last word is. */
  readonly valueOf: OptionGrammar | undefined;
  readonly last: string;
  /** Whether `--` came before. */
  readonly ended: boolean;
}

function readWords(words: readonly string[], grammar: Grammar): Said {
  const before = words.slice(0, -1);
  const args: string[] = [];
  let command: Said['command'];
  let config: string | undefined;
  let valueOf: OptionGrammar | undefined;
  let ended = false;
  for (const word of before) {
    if (valueOf !== undefined) {
      if (valueOf.names.includes('--config')) config = word;
      valueOf = undefined;
    } else if (word === '--') ended = true;
    else if (!ended && word.startsWith('-')) {
      const [name = '', value] = word.split(/=(.*)/s, 2);
      const option = optionsOf(grammar, command).find((each) => each.names.includes(name));
      if (value !== undefined && name === '--config') config = value;
      // --wait alone has no value.
      if (value === undefined && option?.value !== undefined && name !== '--wait') valueOf = option;
    } else if (command === undefined) command = grammar.commands.find(({ name }) => name === word);
    else args.push(word);
  }
  return { grammar, command, args, config, valueOf, last: words.at(-1) ?? '', ended };
}

function optionsOf(grammar: Grammar, command: Said['command']): readonly OptionGrammar[] {
  const options = [...(command?.options ?? []), ...grammar.options];
  return options.filter(
    (option, index) => options.findIndex(({ names }) => names.at(-1) === option.names.at(-1)) === index,
  );
}

function candidates(said: Said, project: Project | undefined): readonly Candidate[] {
  const { grammar, command, args, valueOf, last } = said;
  if (valueOf !== undefined) return valueOf.value === 'HOST' ? servers(project, args[0]) : [];
  const inline = /^(--[\w-]+)=/.exec(last)?.[1];
  if (inline === '--server')
    return servers(project, args[0]).map((each) => ({ ...each, word: `--server=${each.word}` }));
  if (inline !== undefined) return [];
  if (last.startsWith('-') && !said.ended)
    return optionsOf(grammar, command).flatMap(({ names, summary }) =>
      names.map((word) => ({ word, summary })),
    );
  if (command === undefined) return grammar.commands.map(({ name, summary }) => ({ word: name, summary }));
  switch (command.args[args.length]) {
    case 'STAGE':
    case 'FROM':
    case 'TO':
      return stages(project);
    case 'SERVER':
      return servers(project, args[0]);
    case 'STATE':
      return ['on', 'off'].map((word) => ({ word, summary: '' }));
    case 'SHELL':
      return SHELLS.map((word) => ({ word, summary: '' }));
    default:
      return [];
  }
}

function stages(project: Project | undefined): readonly Candidate[] {
  if (project === undefined) return [];
  return stageNames(project.doc).map((word) => ({
    word,
    summary: serverEntries(project, word).join(', '),
  }));
}

function servers(project: Project | undefined, stage: string | undefined): readonly Candidate[] {
  if (project === undefined) return [];
  const of = stage === undefined ? stageNames(project.doc) : [stage];
  const entries = of.flatMap((name) => serverEntries(project, name));
  return [...new Set(entries)].map((word) => ({ word, summary: '' }));
}

/** As written; resolvers are not run, so they are left out. */
function serverEntries(project: Project, stage: string): readonly string[] {
  if (!stageNames(project.doc).includes(stage)) return [];
  const value = configJson(resolveStage(project.doc, stage)).options['server']?.value;
  return Array.isArray(value) ? value.map(String).filter((entry) => !entry.includes('!')) : [];
}
