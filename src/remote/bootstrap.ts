/**
 * How a script reaches the server's `sh` and how its end is known: one constant command line for every client, so no command line shows
 * a secret. The script travels on standard input in front of its own input. Pure text and bytes; `scriptRun.ts` does the running.
 *
 * On standard output and standard error the wrapped script is framed by two marker lines that carry a nonce: the first names the
 * script's process group (closing a channel ends nothing on a server, so whoever cancels must know what to end), the last its exit
 * status. What start-up files of the login shell print stays in front of the first; all that the script wrote is in front of the last,
 * even where background children keep the streams open or the server sends the exit status ahead of the data.
 */
import { bug } from '../errors.ts';
import { quote } from './shell.ts';

/**
 * The one command line that servers are asked to run. Reads a header line and that many bytes, never one more, then runs them.
 * Login shells: POSIX ones, csh, tcsh, fish (so: one line, no backslash, no `!`).
 * Not `head -c`, which reads ahead in busybox; `dd` reads once what it is allowed to, so a partial read is safe.
 */
export const bootstrapCommand =
  'exec sh -c \'read -r n b c && s= && while [ "$n" -gt 0 ]; do ' +
  'x=$(dd bs=${b:-$n} count=${c:-1} 2>/dev/null; echo .) && x=${x%.} && [ -n "$x" ] || exit 125; ' +
  's=$s$x; n=$((n-${#x})); done && eval "$s"\'';

/** A script's processes on the server. */
export interface ProcessGroup {
  /** The shell that runs the script. */
  readonly pid: number;
  /** Its process group; equal to `pid` wherever the server starts commands in a session of their own, as sshd does. */
  readonly pgid: number;
  /** When `pid` started, as that system says it (Linux: field 22 of its stat); '' where unknown. Guards against reused ids. */
  readonly started: string;
}

/**
 * The bytes for standard input of `bootstrapCommand`; what follows them is the script's own input, byte for byte.
 * In the script, `$durant_group` holds `pid pgid started`, fit to be recorded and to be read back with `parseProcessGroup`.
 * @param nonce 16 hexadecimal digits; unique for each run of a script.
 */
export function encodeScript(script: string, nonce: string): Buffer {
  if (script.includes('\0')) throw new RangeError('A script cannot hold a NUL character.');
  const text = Buffer.from(wrap(script, nonce));
  // Shells count characters: only where each is one byte can the length be counted down; else dd copies bytewise.
  const header = text.every((byte) => byte < 0x80) ? `${text.length}\n` : `1 1 ${text.length}\n`;
  return Buffer.concat([Buffer.from(header), text]);
}

/** Some servers start commands without HOME: it is the login user's all the same, else where the login begins. */
const homeIfMissing =
  'if [ -z "${HOME-}" ]; then HOME=; case $(id -un) in *[!A-Za-z0-9._-]*|"") ;; *) eval "HOME=~$(id -un)";; esac; ' +
  'case $HOME in /*) ;; *) HOME=$(pwd);; esac; export HOME; fi';

/** Runs the script in a subshell, so that its `exit`, `exec`, traps and redirections leave the frame alone. */
function wrap(script: string, nonce: string): string {
  return [
    'unset n b c s x',
    homeIfMissing,
    'if { read -r durant_group </proc/$$/stat; } 2>/dev/null; then set -- ${durant_group##*)}; durant_group="$$ $3 ${20}"; set --',
    'else durant_group="$$ $(LC_ALL=C ps -o pgid= -o lstart= -p $$ 2>/dev/null || ps -o pgid= -p $$ 2>/dev/null)"; fi',
    `printf '${beginMarker('\\036', nonce)}%s\\n' "$durant_group"; printf '${beginMarker('\\036', nonce)}\\n' >&2`,
    `( eval ${quote(script)} )`,
    `durant_status=$?; printf '${endMarker('\\036', nonce)}%s\\n' "$durant_status"; printf '${endMarker('\\036', nonce)}%s\\n' "$durant_status" >&2`,
    'exit "$durant_status"',
    '',
  ].join('\n');
}

const beginMarker = (mark: string, nonce: string): string => `${mark}durant-begin:${nonce} `;
const endMarker = (mark: string, nonce: string): string => `${mark}durant-end:${nonce} `;
/** ASCII record separator: rare in real output, so hardly ever is a chunk's tail held back. */
const recordSeparator = '\x1e';

/** Reads `pid pgid started`; undefined where it is something else. */
export function parseProcessGroup(text: string): ProcessGroup | undefined {
  const match = /^\s*(\d+)\s+(\d+)(?:\s+(\S.*?))?\s*$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { pid: Number(match[1]), pgid: Number(match[2]), started: match[3] ?? '' };
}

/** What has become known from one output stream of a wrapped script. */
export interface OutputFrame {
  /** Takes a chunk as received, returns what of it the script wrote. */
  push(chunk: Buffer): Buffer;
  /** Gives out what was held back as the possible start of a marker; for a stream that ended without its end marker. */
  flush(): Buffer;
  /** What follows the first marker, once seen. */
  readonly begun: string | undefined;
  /** The exit status, once the last marker was seen. */
  readonly status: number | undefined;
  /** What came before the first marker, at most the last 4 KiB: start-up files, or why the server refused. */
  readonly noise: string;
}

const empty = Buffer.alloc(0);

/** Takes the frame off one output stream. */
export function createOutputFrame(nonce: string): OutputFrame {
  const begin = Buffer.from(beginMarker(recordSeparator, nonce));
  const end = Buffer.from(endMarker(recordSeparator, nonce));
  let held: Buffer = empty;
  let noise: Buffer = empty;
  let begun: string | undefined;
  let status: number | undefined;

  /** Looks for a whole marker line; keeps a tail that may become one. */
  const split = (marker: Buffer, chunk: Buffer): { before: Buffer; line?: string; after: Buffer } => {
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = empty;
    const at = data.indexOf(marker);
    const newline = at === -1 ? -1 : data.indexOf(0x0a, at);
    if (newline !== -1)
      return {
        before: data.subarray(0, at),
        line: data.toString('latin1', at + marker.length, newline),
        after: data.subarray(newline + 1),
      };
    const tail = at === -1 ? partialAt(data, marker) : at;
    held = Buffer.from(data.subarray(tail));
    return { before: data.subarray(0, tail), after: empty };
  };

  const push = (chunk: Buffer): Buffer => {
    if (status !== undefined) return empty;
    let body = chunk;
    if (begun === undefined) {
      const first = split(begin, chunk);
      noise = Buffer.concat([noise, first.before]).subarray(-4096);
      if (first.line === undefined) return empty;
      begun = first.line;
      body = first.after;
    }
    const last = split(end, body);
    if (last.line !== undefined) status = Number(last.line);
    return last.before;
  };
  return {
    push,
    flush: () => {
      const rest = begun === undefined || status !== undefined ? empty : held;
      held = empty;
      return rest;
    },
    get begun() {
      return begun;
    },
    get status() {
      return status;
    },
    get noise() {
      return noise.toString('utf8').trim();
    },
  };
}

/** Where a proper prefix of the marker starts at the end of data; data.length where none does. */
function partialAt(data: Buffer, marker: Buffer): number {
  let at = data.indexOf(marker.subarray(0, 1), Math.max(0, data.length - marker.length));
  while (at !== -1) {
    if (marker.subarray(0, data.length - at).equals(data.subarray(at))) return at;
    at = data.indexOf(marker.subarray(0, 1), at + 1);
  }
  return data.length;
}

/**
 * POSIX sh text that ends a script's processes: TERM, up to 2 s of grace, KILL, and waits until they are gone. Does nothing where the
 * id has been given to another process since. Where the server gave the script no group of its own, its process tree is ended instead.
 */
export function killScript(group: ProcessGroup): string {
  const { pid, pgid, started } = group;
  for (const id of [pid, pgid]) if (!Number.isInteger(id) || id <= 1) throw bug(`${id} is not a process id.`);
  return [
    `p=${pid} want=${quote(started)} have=`,
    'if { read -r l </proc/$p/stat; } 2>/dev/null; then set -- ${l##*)}; have=${20}',
    'else have=$(LC_ALL=C ps -o lstart= -p $p 2>/dev/null | sed "s/^ *//; s/ *$//"); fi',
    // The leader may be gone while its group lives on; its id is then not given away.
    '[ -z "$want" ] || [ -z "$have" ] || [ "$have" = "$want" ] || exit 0',
    pid === pgid ? `targets() { echo -${pgid}; }` : processTree,
    pid === pgid ? groupAlive(pgid) : treeAlive,
    'all=$(targets)',
    'nap() { sleep 0.05 2>/dev/null || sleep 1; }',
    'for t in $all; do kill -TERM $t 2>/dev/null; done',
    'i=0; while alive && [ $i -lt 40 ]; do nap; i=$((i+1)); done',
    'alive || exit 0',
    'for t in $all $(targets); do kill -KILL $t 2>/dev/null; done',
    'i=0; while alive && [ $i -lt 20 ]; do nap; i=$((i+1)); done',
    'exit 0',
    '',
  ].join('\n');
}

/** A zombie can be signalled but has ended: it only waits for an init that is slow, or missing as in containers. */
function groupAlive(pgid: number): string {
  return [
    `alive() { kill -0 -${pgid} 2>/dev/null || return 1`,
    'if [ -r /proc/$$/stat ]; then cat /proc/[0-9]*/stat 2>/dev/null | sed "s/^.*) //" | awk "{ print \\$3, \\$1 }"',
    `else ps -A -o pgid= -o stat=; fi | awk '$1 == ${pgid} && $2 !~ /^[ZX]/ { found = 1 } END { exit !found }'; }`,
  ].join('\n');
}

const treeAlive = 'alive() { for t in $all; do kill -0 $t 2>/dev/null && return 0; done; return 1; }';
const processTree =
  'targets() { { ps -A -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid; } | ' +
  "awk -v r=$p '{ up[$1] = $2 } END { for (k in up) { q = k; n = 0; while (q != r && (q in up) && n++ < 99) q = up[q]; if (q == r) print k } }'; }";
