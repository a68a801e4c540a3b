/** Columns of text. */
import { printable } from '../printable.ts';

/** A cell: plain text, made printable, and how to paint it once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Rows as lines, columns two blanks apart, the last one ragged. */
export function tableLines(rows: readonly (readonly (Cell | string)[])[]): string[] {
  const cells = rows.map((row) =>
    row.map((cell) =>
      typeof cell === 'string' ? { text: printable(cell) } : { ...cell, text: printable(cell.text) },
    ),
  );
  const widths: number[] = [];
  for (const row of cells)
    row.forEach(({ text }, column) => {
      widths[column] = Math.max(widths[column] ?? 0, Array.from(text).length);
    });
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const last = column === row.length - 1;
        const padding = last ? '' : ' '.repeat((widths[column] ?? 0) - Array.from(cell.text).length);
        return `${'paint' in cell && cell.paint !== undefined ? cell.paint(cell.text) : cell.text}${padding}`;
      })
      .join('  ')
      .trimEnd(),
  );
}
