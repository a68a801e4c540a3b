/** How far each server is, as data: events in, one line a server out. */
import type { RunEvent } from '../engine/events.ts';
import { count, formatBytes, formatDuration } from './measures.ts';
import { fit, printable } from './printable.ts';

export interface ServerProgress {
  readonly server: string;
  readonly step: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** When the step began, ms. */
  readonly since: number;
  readonly transfer: TransferProgress | undefined;
}

interface TransferProgress {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles: number;
  readonly totalBytes: number;
  /** When bytes stood where, over the last seconds: what the rate is taken from. */
  readonly samples: readonly { readonly at: number; readonly bytes: number }[];
}

export type Progress = ReadonlyMap<string, ServerProgress>;

const rateWindowMs = 3000;
/** Key of what runs on this machine: checkout, before_deploy. */
const here = '';

/** The progress after one more event; `now` in ms. */
export function advance(progress: Progress, event: RunEvent, now: number): Progress {
  if (event.event === 'run-started')
    return new Map(event.servers.map((server) => [server, waiting(server, now)]));
  if (event.event === 'transfer') {
    const before = progress.get(event.server) ?? waiting(event.server, now);
    const samples = [...(before.transfer?.samples ?? []), { at: now, bytes: event.bytes }];
    return new Map(progress).set(event.server, {
      ...before,
      transfer: {
        files: event.files,
        bytes: event.bytes,
        totalFiles: event.total_files,
        totalBytes: event.total_bytes,
        samples: samples.filter(({ at }, index) => at >= now - rateWindowMs || index === samples.length - 1),
      },
    });
  }
  if (event.event !== 'step' || event.state === 'pending') return progress;
  const server = event.server ?? here;
  const changed = new Map(progress);
  // What runs here is only shown while it runs.
  if (server === here && event.state !== 'running') {
    changed.delete(here);
    return changed;
  }
  const state = event.state === 'running' ? 'running' : event.state === 'failed' ? 'failed' : 'done';
  return changed.set(server, { server, step: event.step, state, since: now, transfer: undefined });
}

function waiting(server: string, now: number): ServerProgress {
  return { server, step: '', state: 'waiting', since: now, transfer: undefined };
}

/** One line a server, each at most `width` columns and at most `height` lines in all. */
export function progressLines(
  progress: Progress,
  now: number,
  size: { readonly width: number; readonly height: number },
): string[] {
  const rows = [...progress.values()];
  const nameWidth = Math.min(30, Math.max(0, ...rows.map(({ server }) => displayName(server).length)));
  const lines = rows.map((row) =>
    fit(`${displayName(row.server).padEnd(nameWidth)}  ${describe(row, now)}`, size.width),
  );
  if (lines.length <= size.height) return lines;
  const shown = lines.slice(0, Math.max(0, size.height - 1));
  return [...shown, fit(`… and ${count(lines.length - shown.length, 'more server')}`, size.width)];
}

function displayName(server: string): string {
  return server === here ? 'here' : printable(server);
}

function describe({ step, state, since, transfer }: ServerProgress, now: number): string {
  if (state === 'waiting') return 'waiting';
  const name = printable(step);
  if (state === 'failed') return `${name} failed`;
  if (state === 'done') return `${name} done`;
  if (transfer !== undefined) return `${name}  ${describeTransfer(transfer, now)}`;
  const ms = now - since;
  return ms < 2000 ? name : `${name}  ${formatDuration(Math.floor(ms / 1000) * 1000)}`;
}

/** `████░░░░ 4.1 MB of 12 MB  2.0 MB/s  4 s left`. */
function describeTransfer(transfer: TransferProgress, now: number): string {
  const { bytes, totalBytes } = transfer;
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const cells = 16;
  const filled = Math.round(share * cells);
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

function bytesPerSecond({ samples }: TransferProgress, now: number): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 2) return undefined;
  const ms = Math.max(now, last.at) - first.at;
  return ms < 200 ? undefined : ((last.bytes - first.bytes) * 1000) / ms;
}
