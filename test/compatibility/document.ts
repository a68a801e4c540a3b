/** docs/compatibility.md: what the matrix printed. */
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { axes, type Cell } from './kinds.ts';
import type { Ending } from './life.ts';
import type { Versions } from './versions.ts';

export interface Result {
  readonly cell: Cell;
  /** Undefined where the whole life went well. */
  readonly ending?: Ending | undefined;
}

export const documentPath = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url));

const titles = { tools: "Server's tools", sshd: 'SSH server', shell: 'Login shell', client: 'ssh_client' };

const remarks: Readonly<Record<string, string>> = {
  'tools=system': "GNU's",
  'tools=uutils':
    'cp, dd, sort and tr are GNU’s, as those of this version fail; mv, stat and sha256sum answer as those of uutils 0.1',
  'tools=toybox': 'what it does not have is GNU’s',
  'tools=bsdtar': 'GNU’s tools, and libarchive’s tar instead of theirs',
  'sshd=dropbear': 'one session at a time: it loses those that are started while another ends',
  'sshd=tinysshd':
    'one session a connection, so each script has a connection of its own; no forwarding, no SFTP',
};

const untested = [
  'chimerautils, FreeBSD, OpenBSD, NetBSD and macOS as a server: no such tools are packaged for Debian 12.',
  'uutils 0.1 and newer themselves (see the remark above). rust-coreutils 0.0.17 alone is not supported: `durant check --connect` says what it cannot do.',
  'Windows as a server: not supported, a POSIX `sh` is needed.',
  'macOS as the client, and Windows itself: only what `src/platform.ts` decides for them is tested here. By hand, the command line ran under wine 8 with Node 22’s Windows build and ssh2: config, check, check --connect, dry run, two deploys (an executable file, a symbolic link, a name that is no ASCII), status, releases, verify, prune, log, rollback. There was no Git for Windows there: its git was Linux’s. before_deploy, which needs its `sh`, ssh_client: openssh and VS Code were not run there.',
  'The workflows of `.github/workflows/`, which nobody has started yet.',
];

export async function renderDocument(results: readonly Result[], versions: Versions): Promise<string> {
  const kinds = Object.entries(axes).flatMap(([axis, values]) =>
    values.map((value: string) => {
      const id = `${axis}=${value}`;
      return [titles[axis as keyof typeof axes], value, versions.get(id) ?? '', remarks[id] ?? ''];
    }),
  );
  const rows = results.map((result) => [...Object.values(result.cell), wordOf(result)]);
  const text = `# Compatibility

Printed by \`npm run compatibility\`; do not edit. It plays a whole life with each of the combinations below, on a real server: \`check
--connect\`, \`deploy\` of names and files that are hard, \`deploy\` of a change, \`verify\`, \`rollback\`, two more deploys and \`prune\`,
\`adopt\` and a deploy after it; after each it compares what is on the server with the commit. Every two kinds are together in at least one
combination; a combination that is not in the table was not run.

## Kinds

${table(['', 'Kind', 'Version', 'Remark'], kinds)}

## Combinations

${table([...Object.values(titles), 'Result'], rows)}

## Untested

${untested.map((line) => `- ${line}`).join('\n')}
`;
  return format(text, { ...(await resolveConfig(documentPath)), parser: 'markdown' });
}

/** The line of a combination in the document, however wide its columns. */
export function isInDocument(document: string, cell: Cell, word: string): boolean {
  const wanted = [...Object.values(cell), word].join('|');
  return document.split('\n').some((line) => line.replace(/^\||\|$|\s/g, '') === wanted.replaceAll(' ', ''));
}

export function wordOf({ ending }: Result): string {
  return ending === undefined ? 'works' : `fails at ${ending.step}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
