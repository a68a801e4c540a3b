/** What a server and its client can be, and combinations of them in which every two kinds meet. */
import { serverTools } from '../support/serverTools.ts';

export const axes = {
  tools: serverTools.filter((tools) => tools !== 'uutils-0.0.17'),
  sshd: ['OpenSSH', 'dropbear', 'tinysshd'],
  shell: ['dash', 'bash', 'busybox', 'fish', 'tcsh', 'zsh', 'mksh'],
  client: ['ssh2', 'openssh'],
} as const;

export type Axis = keyof typeof axes;
export type Cell = { readonly [A in Axis]: (typeof axes)[A][number] };

const names = Object.keys(axes) as readonly Axis[];

/** All combinations. */
function allCells(): readonly Cell[] {
  return axes.tools.flatMap((tools) =>
    axes.sshd.flatMap((sshd) =>
      axes.shell.flatMap((shell) => axes.client.map((client) => ({ tools, sshd, shell, client }))),
    ),
  );
}

/** Few cells, the same each time, such that each two values of different axes are together in one of them. */
export function pairwise(cells: readonly Cell[] = allCells()): readonly Cell[] {
  const missing = new Set(cells.flatMap(pairsOf));
  const chosen: Cell[] = [];
  while (missing.size > 0) {
    const gain = (cell: Cell): number => pairsOf(cell).filter((pair) => missing.has(pair)).length;
    const best = cells.reduce((left, right) => (gain(right) > gain(left) ? right : left));
    for (const pair of pairsOf(best)) missing.delete(pair);
    chosen.push(best);
  }
  return chosen;
}

/** The pairs of values that a cell has, e.g. `tools=toybox shell=fish`. */
export function pairsOf(cell: Cell): readonly string[] {
  return names.flatMap((first, index) =>
    names.slice(index + 1).map((second) => `${first}=${cell[first]} ${second}=${cell[second]}`),
  );
}

/** E.g. `toybox, dropbear, zsh, ssh2`. */
export function nameOf(cell: Cell): string {
  return names.map((axis) => cell[axis]).join(', ');
}
