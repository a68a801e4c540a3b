/**
 * Folders and files of a server as they lie there: the scripts that look, and what they say. Paths are bytes as latin1 characters, relative to
 * project_dir, and come through standard input. What the script has entered is looked at: nothing outside of project_dir is told or read.
 */
import { quote, quotePath, whereAmI } from '../../remote/shell.ts';

/** More entries of a folder than this are only counted. */
export const MOST_ENTRIES = 1000;

/** A file larger than this, in bytes, is not sent whole. */
export const MOST_BYTES = 5_000_000;

/** An entry of a folder. */
export interface ServerEntry {
  /** Bytes as latin1 characters. */
  readonly name: string;
  readonly kind: 'folder' | 'file' | 'other';
  /** Where it is a symbolic link: what it says, bytes as latin1 characters; `kind` is then that of what it leads to, `other` of nothing. */
  readonly target: string | undefined;
  /** Of a file, in bytes; undefined where the server's tools do not tell. */
  readonly size: number | undefined;
  /** Of a file: when its content changed, ms since the epoch. */
  readonly changed: number | undefined;
}

export interface ServerFolder {
  /** The first `MOST_ENTRIES`, folders before files, by name. */
  readonly entries: readonly ServerEntry[];
  /** How many there are. */
  readonly total: number;
}

/** Why there is nothing to show; `outside`: a link led out of project_dir. */
export type NotThere = 'gone' | 'denied' | 'outside' | 'not-a-file';

/** Enters project_dir, then `base` in it, and defines what both scripts need. What is not there is said, and is no failure of the script. */
function begin(projectDir: string, base: string): string {
  return `LC_ALL=C; export LC_ALL; unset CDPATH
not() { printf '%s\\0' "$1"; exit 0; }
${whereAmI}
go() {
  cd -P -- "$1" 2>/dev/null || { if [ -d "$1" ]; then not denied; else not gone; fi; }
  where_am_i
  case $cwd in "$top" | "$top"/*) ;; *) not outside ;; esac
}
cd -P -- ${quotePath(projectDir)} 2>/dev/null || not gone
where_am_i; top=$cwd
p=$(cat; echo .); p=\${p%.}
${base === '' ? '' : `go ${quote(`./${base}`)}`}`;
}

/** Lists the folder whose path comes through standard input. */
export function listScript(projectDir: string): string {
  return `${begin(projectDir, '')}
[ -z "$p" ] || go "./$p"
[ -r . ] && [ -x . ] || not denied
each() {
  what=$1; shift; i=0
  for e do
    [ -e "$e" ] || [ -L "$e" ] || continue
    i=$((i + 1)); [ "$i" -gt ${MOST_ENTRIES} ] || "$what"
  done
}
entry() {
  if [ -d "$e" ]; then k='folder'; elif [ -f "$e" ]; then k='file'; else k='other'; fi
  if [ -L "$e" ]; then t=$(readlink "./$e"; echo .); printf '%s\\0%s\\0link %s\\0' "$k" "$e" "\${t%??}"; else printf '%s\\0%s\\0\\0' "$k" "$e"; fi
}
name() { printf './%s\\0' "$e"; }
set -- * .[!.]* ..?*
each entry "$@"
printf 'end\\0%s\\0' "$i"
if stat -c %s . >/dev/null 2>&1; then each name "$@" | xargs -0 stat -c '%s %Y' --
elif stat -f %z . >/dev/null 2>&1; then each name "$@" | xargs -0 stat -f '%z %m'
fi 2>/dev/null
:`;
}

/** @throws {Error} where the script did not come to its end. */
export function parseFolder(stdout: Buffer): ServerFolder | NotThere {
  const fields = stdout.toString('latin1').split('\0');
  const [first = ''] = fields;
  if (isNotThere(first)) return first;
  const end = fields.findIndex((field, index) => index % 3 === 0 && field === 'end');
  if (end < 0) throw new Error('The list of the folder is cut short.');
  const times = (fields[end + 2] ?? '').split('\n').filter((line) => line !== '');
  const found = Math.floor(end / 3);
  // Something may have come or gone in between: then nobody knows whose size is whose.
  const known = times.length === found ? times : [];
  const entries = Array.from({ length: found }, (_, index): ServerEntry => {
    const [kind = '', name = '', link = ''] = fields.slice(index * 3, index * 3 + 3);
    const isFile = kind === 'file' && link === '';
    const [size, changed] = (isFile ? (known[index] ?? '') : '').split(' ').map(numberOf);
    return {
      name,
      kind: kind === 'folder' || kind === 'file' ? kind : 'other',
      target: link === '' ? undefined : link.slice('link '.length),
      size,
      changed: changed === undefined ? undefined : changed * 1000,
    };
  });
  return { entries: entries.toSorted(byKindAndName), total: Number(fields[end + 1]) };
}

/**
 * Prints the file whose path comes through standard input, following links as long as they stay in project_dir.
 * @param base where the path begins, relative to project_dir; empty: there.
 * @param most bytes; of a larger file its size alone is told, or its end where that is wanted.
 */
export function readScript(
  projectDir: string,
  { base, most, part }: { readonly base: string; readonly most: number; readonly part: 'all' | 'end' },
): string {
  return `${begin(projectDir, base)}
i=0
while :; do
  case $p in /*/*) go "\${p%/*}";; /*) go /;; */*) go "./\${p%/*}";; esac
  p=\${p##*/}
  [ -L "./$p" ] || break
  i=$((i + 1)); [ "$i" -lt 40 ] || not gone
  p=$(readlink "./$p"; echo .); p=\${p%??}
done
[ -e "./$p" ] || not gone
[ -f "./$p" ] || not not-a-file
[ -r "./$p" ] || not denied
size=$(ls -ldn "./$p" | awk 'NR == 1 { print $5 }')
printf 'file\\0%s\\0' "$size"
${part === 'end' ? `tail -c ${most} "./$p"` : `[ "$size" -gt ${most} ] || head -c ${most} "./$p"`}`;
}

export interface ServerFile {
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** What was read of it; undefined where it is larger than that. */
  readonly contents: Buffer | undefined;
}

/** @throws {Error} where the script did not come to its end. */
export function parseFile(stdout: Buffer, most: number, part: 'all' | 'end'): ServerFile | NotThere {
  const kind = stdout.indexOf(0);
  const first = stdout.subarray(0, Math.max(0, kind)).toString('latin1');
  if (isNotThere(first)) return first;
  const after = stdout.indexOf(0, kind + 1);
  if (first !== 'file' || after < 0) throw new Error('The file is cut short.');
  const size = Number(stdout.subarray(kind + 1, after).toString('latin1'));
  return { size, contents: part === 'all' && size > most ? undefined : stdout.subarray(after + 1) };
}

function isNotThere(word: string): word is NotThere {
  return word === 'gone' || word === 'denied' || word === 'outside' || word === 'not-a-file';
}

function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function byKindAndName(a: ServerEntry, b: ServerEntry): number {
  const rank = ({ kind }: ServerEntry): number => (kind === 'folder' ? 0 : 1);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}
