/** The review that a dry run ends in: deletions first, then the other files, the steps, the commands. Pure. */
import {
  fileKinds,
  type ChangeEvent,
  type CommandEvent,
  type Findings,
  type StepEvent,
} from '../report/findings.ts';
import { commandText } from './lines.ts';
import { count, formatBytes } from '../format.ts';
import type { Colors } from './output.ts';
import { printable, printableLines } from '../printable.ts';

const marks = { deleted: '-', changed: '~', added: '+' } as const;
/** How many changed or added files are listed without `--verbose`; deletions are listed always. */
const shownFiles = 100;

/** The lines of the review, servers in the order of durant.conf. Servers that would see the same are told of together. */
export function reviewLines(
  { servers, changes, steps, commands }: Findings,
  options: { readonly verbose: boolean; readonly color: Colors },
): string[] {
  return [
    ...filesSection(inOrder(changes, servers), options),
    ...stepsSection(inOrder(steps, servers), options),
    ...commandsSection(inOrder(commands, servers), options),
  ];
}

function filesSection(
  changes: readonly ChangeEvent[],
  { verbose, color }: { readonly verbose: boolean; readonly color: Colors },
): string[] {
  const paint = { deleted: color.red, changed: color.yellow, added: color.green } as const;
  const groups = groupByServers(changes, (change) => `${change.kind} ${String(change.bytes)} ${change.path}`);
  return groups.flatMap(({ servers, items }) => {
    const lines = fileKinds.flatMap((kind) => {
      const files = items.filter((change) => change.kind === kind);
      if (files.length === 0) return [];
      const shown = kind === 'deleted' || verbose ? files : files.slice(0, shownFiles);
      const rest = files.slice(shown.length);
      return [
        `  ${paint[kind](`${count(files.length, 'file')} ${kind}`)}, ${formatBytes(total(files))}`,
        ...shown.map(
          (file) =>
            `    ${paint[kind](marks[kind])} ${printable(file.path)}  ${color.dim(formatBytes(file.bytes))}`,
        ),
        ...(rest.length === 0
          ? []
          : [`    … and ${String(rest.length)} more, ${formatBytes(total(rest))} (--verbose lists them)`]),
      ];
    });
    return [heading('Files', servers, color), ...lines, ''];
  });
}

function stepsSection(
  steps: readonly StepEvent[],
  { verbose, color }: { readonly verbose: boolean; readonly color: Colors },
): string[] {
  const width = Math.max(0, ...steps.map(({ step }) => step.length));
  const line = (step: StepEvent): string => {
    const reason = step.reason === null ? '' : `: ${printableLines(step.reason)}`;
    const name = printable(step.step).padEnd(width);
    if (step.state === 'pending') return `  ${name}  ${color.yellow('pending')}${reason}`;
    if (step.state === 'failed') return `  ${name}  ${color.red('failed')}${reason}`;
    const state = step.state === 'already' || step.state === 'done' ? 'already achieved' : step.state;
    return `  ${name}  ${color.green(state)}${reason}`;
  };
  const here = steps.filter(({ server }) => server === null);
  const there = steps.filter(({ server }) => server !== null);
  const groups = verbose
    ? [...new Set(there.map(({ server }) => server))].map((server) => ({
        servers: [server ?? ''],
        items: there.filter((step) => step.server === server),
      }))
    : groupByServers(there, (step) => `${step.step} ${step.state} ${step.reason ?? ''}`);
  return [
    ...(here.length === 0 ? [] : [color.bold('Steps here'), ...here.map(line), '']),
    ...groups.flatMap(({ servers, items }) => [heading('Steps', servers, color), ...items.map(line), '']),
  ];
}

function commandsSection(commands: readonly CommandEvent[], { color }: { readonly color: Colors }): string[] {
  const line = ({ step, command }: CommandEvent): string =>
    `  ${color.dim(`${printable(step)}:`)} ${commandText(command)}`;
  const here = commands.filter(({ server }) => server === null);
  const groups = groupByServers(
    commands.filter(({ server }) => server !== null),
    ({ step, command }) => `${step} ${command}`,
  );
  return [
    ...(here.length === 0 ? [] : [color.bold('Commands here'), ...here.map(line), '']),
    ...groups.flatMap(({ servers, items }) => [heading('Commands', servers, color), ...items.map(line), '']),
  ];
}

/** Events came in the order in which the servers answered; each server's own keep theirs. */
function inOrder<Item extends { readonly server: string | null }>(
  items: readonly Item[],
  servers: readonly string[],
): Item[] {
  const place = ({ server }: Item): number => (server === null ? -1 : servers.indexOf(server));
  return [...items].sort((a, b) => place(a) - place(b));
}

/** Puts servers together whose lists are the same. */
function groupByServers<Item extends { readonly server: string | null }>(
  items: readonly Item[],
  key: (item: Item) => string,
): { servers: string[]; items: Item[] }[] {
  const byServer = new Map<string, Item[]>();
  for (const item of items) {
    const server = item.server ?? '';
    const own = byServer.get(server);
    if (own === undefined) byServer.set(server, [item]);
    else own.push(item);
  }
  const groups = new Map<string, { servers: string[]; items: Item[] }>();
  for (const [server, own] of byServer) {
    const fingerprint = own.map(key).join('\0');
    const group = groups.get(fingerprint);
    if (group === undefined) groups.set(fingerprint, { servers: [server], items: own });
    else group.servers.push(server);
  }
  return [...groups.values()];
}

function heading(what: string, servers: readonly string[], color: Colors): string {
  return color.bold(`${what} on ${servers.map(printable).join(', ')}`);
}

function total(files: readonly ChangeEvent[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
