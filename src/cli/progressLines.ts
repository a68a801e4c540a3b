/** The live display's lines: one a server. Pure. */
import { count, formatBytes, formatDuration } from '../format.ts';
import { printable } from '../printable.ts';
import {
  bytesPerSecond,
  shareOf,
  type RunProgress,
  type ServerProgress,
  type TransferProgress,
} from '../report/progress.ts';

/** One line a server, and one for what runs here; each at most `width` columns and at most `height` lines in all. */
export function progressLines(
  progress: RunProgress,
  now: number,
  size: { readonly width: number; readonly height: number },
): string[] {
  const { here } = progress;
  const rows = [...progress.servers].map(([server, at]) => [printable(server), describe(at, now)] as const);
  if (here !== undefined) rows.push(['here', describeRunning(here, now)]);
  const nameWidth = Math.min(30, Math.max(0, ...rows.map(([name]) => name.length)));
  const lines = rows.map(([name, text]) => fit(`${name.padEnd(nameWidth)}  ${text}`, size.width));
  if (lines.length <= size.height) return lines;
  const shown = lines.slice(0, Math.max(0, size.height - 1));
  return [...shown, fit(`… and ${count(lines.length - shown.length, 'more server')}`, size.width)];
}

function describe(server: ServerProgress, now: number): string {
  const { step, state, transfer } = server;
  if (state === 'waiting') return 'waiting';
  const name = printable(step);
  if (state === 'failed') return `${name} failed`;
  if (state === 'done') return `${name} done`;
  return transfer === undefined
    ? describeRunning(server, now)
    : `${name}  ${describeTransfer(transfer, now)}`;
}

function describeRunning(
  { step, since }: { readonly step: string; readonly since: number },
  now: number,
): string {
  const ms = now - since;
  return ms < 2000 ? printable(step) : `${printable(step)}  ${formatDuration(Math.floor(ms / 1000) * 1000)}`;
}

/** `████░░░░ 4.1 MB of 12 MB  2.0 MB/s  4 s left`. */
function describeTransfer(transfer: TransferProgress, now: number): string {
  const { bytes, totalBytes } = transfer;
  const cells = 16;
  const filled = Math.round(shareOf(transfer) * cells);
  const parts = [
    `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}`,
    `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
    `${String(transfer.files)}/${count(transfer.totalFiles, 'file')}`,
  ];
  const rate = bytesPerSecond(transfer, now);
  if (rate !== undefined && rate > 0 && bytes < totalBytes) {
    parts.push(
      `${formatBytes(rate)}/s`,
      `${formatDuration(Math.ceil((totalBytes - bytes) / rate) * 1000)} left`,
    );
  }
  return parts.join('  ');
}

/** Cuts a line to `width` columns, with an ellipsis where something is lost. */
export function fit(line: string, width: number): string {
  const characters = Array.from(line);
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
