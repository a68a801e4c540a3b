/** Reads what the rsync client prints: itemised changes and the progress of the whole transfer. Pure. */

/** One thing that rsync's output told. */
export type RsyncReport =
  /** A file or link is being made or updated; latin1 path, relative. */
  | { readonly kind: 'item'; readonly path: string }
  /** Bytes of content dealt with so far. */
  | { readonly kind: 'progress'; readonly bytes: number }
  /** Anything else, for an error's message. */
  | { readonly kind: 'said'; readonly text: string };

/** Takes output as it arrives; calls back for each complete line. `end` gives out a last line without a line end. */
export function createRsyncReader(report: (told: RsyncReport) => void): {
  write(chunk: Buffer): void;
  end(): void;
} {
  let rest = '';
  return {
    write(chunk) {
      const lines = (rest + chunk.toString('latin1')).split(/[\r\n]/);
      rest = lines.pop() ?? '';
      for (const line of lines) readLine(line, report);
    },
    end() {
      readLine(rest, report);
      rest = '';
    },
  };
}

function readLine(line: string, report: (told: RsyncReport) => void): void {
  if (line.trim() === '') return;
  const item = /^([<>ch.*])([fdLDS])\S* (.+)$/s.exec(line);
  if (item?.[3] !== undefined) {
    if (item[2] !== 'd') report({ kind: 'item', path: unescapeName(item[3]) });
    return;
  }
  const progress = /^\s*([\d,.]+)\s+\d+%/.exec(line);
  if (progress?.[1] !== undefined)
    report({ kind: 'progress', bytes: Number(progress[1].replaceAll(/\D/g, '')) });
  else report({ kind: 'said', text: line });
}

/** rsync writes a character that cannot be printed, and a backslash that would look like the start of one, as `\#` and three octal digits. */
function unescapeName(name: string): string {
  return name.replaceAll(/\\#([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
