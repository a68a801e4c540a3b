/**
 * sh text that makes `.venv` inside a release: by uv where the server has it, else `python3 -m venv` and pip. An unchanged requirements
 * file takes over the previous release's environment, as a copy of its own; Fujin shares one, so that its rollback is not atomic.
 */
import { quote } from '../../remote/shell.ts';

export interface PythonInstall {
  /** Absolute folder of the release, which is the working directory. */
  readonly release: string;
  /** Absolute folder of the release whose environment may be taken over. */
  readonly previous: string | undefined;
  /** Paths in the release. */
  readonly wheel: string | undefined;
  readonly requirements: string | undefined;
  readonly pythonVersion: string | undefined;
}

/** Sets `$uv` (`yes` or empty) and `$py`, an interpreter of the wanted version that can make environments (or empty); says why not. */
export function pythonTools(version: string | undefined): string {
  const want = quote(version ?? '');
  return `for d in "$HOME/.local/bin" "$HOME/.cargo/bin"; do case ":$PATH:" in *":$d:"*) ;; *) PATH=$PATH:$d;; esac; done; export PATH
want=${want} uv= py=
if command -v uv >/dev/null 2>&1; then uv=yes; fi
for c in \${want:+"python$want"} python3 python; do
  command -v "$c" >/dev/null 2>&1 || continue
  "$c" -c ${quote(IS_WANTED)} "$want" || continue
  if [ -n "$uv" ] || "$c" -c 'import ensurepip, venv'; then py=$c; break; fi
done`;
}

export function pythonInstallScript(install: PythonInstall): string {
  const { wheel, requirements } = install;
  const pip = (words: string): string => `pip ${words} || exit 1`;
  return `${pythonTools(install.pythonVersion)}
export UV_LINK_MODE=copy PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
unset VIRTUAL_ENV PYTHONHOME
req=${quote(requirements ?? '')} old=${quote(install.previous ?? '')} new=${quote(install.release)} kept=.venv/.durant-requirements
pip() {
  if [ -n "$uv" ]; then c=$1; shift; uv pip "$c" --python .venv/bin/python "$@"; else .venv/bin/python -m pip "$@"; fi
}
fresh() {
  rm -rf .venv
  if [ -n "$uv" ]; then uv venv --quiet \${want:+--python "$want"} .venv; else "$py" -m venv .venv; fi || exit 1
  [ -z "$req" ] || pip install -r "$req" || exit 1
}
reuse() {
  [ -n "$old" ] && [ -n "$req" ] && [ -f "$old/$kept" ] && cmp -s "$old/$kept" "$req" || return 1
  # What other files say is not seen by comparing this one.
  ! grep -Eq ${quote(NAMES_FILES)} "$req" || return 1
  "$old/.venv/bin/python" -c ${quote(IS_WANTED)} "$want" 2>/dev/null || return 1
  if [ -n "$py" ] && [ -z "$uv" ]; then [ "$("$py" -VV)" = "$("$old/.venv/bin/python" -VV)" ] || return 1; fi
  rm -rf .venv && cp -pPR "$old/.venv" .venv || return 1
  find .venv -type d -name __pycache__ -prune -exec rm -rf {} + || return 1
  .venv/bin/python -c ${quote(MOVE_ENVIRONMENT)} .venv "$old" "$new" && pip check >/dev/null 2>&1
}
if reuse; then echo "python environment taken over from \${old##*/}"; else fresh; fi
${
  wheel === undefined
    ? ''
    : // First this very file, whatever its version; then what it needs and nothing has brought yet.
      `if [ -n "$uv" ]; then ${pip(`install --reinstall --no-deps ./${quote(wheel)}`)}; else ${pip(`install --force-reinstall --no-deps ./${quote(wheel)}`)}; fi
${pip(`install ./${quote(wheel)}`)}`
}
[ -z "$req" ] || cp "$req" "$kept"`;
}

/** Requirements that other files decide too. */
const NAMES_FILES = String.raw`^[[:space:]]*(-r|-c|-e|--requirement|--constraint|--editable|\.|/|file:)|@[[:space:]]*file:`;

const IS_WANTED = `import sys
want = [part for part in sys.argv[1].split(".") if part]
sys.exit([str(part) for part in sys.version_info[:len(want)]] != want)`;

/** Rewrites the old release's path where environments are known to hold it; exit status 1 where it is still found anywhere. */
const MOVE_ENVIRONMENT = String.raw`import os, re, sys
root, old, new = (os.fsencode(word) for word in sys.argv[1:])
path = re.compile(re.escape(old) + rb"(?![A-Za-z0-9._+-])")
def is_known(folder, name):
    return (folder == os.path.join(root, b"bin") or name in (b"pyvenv.cfg", b"direct_url.json") or name.endswith(b".pth"))
for folder, folders, files in os.walk(root):
    for name in files + folders:
        full = os.path.join(folder, name)
        if os.path.islink(full):
            if path.search(os.readlink(full)): sys.exit(1)
            continue
        if not os.path.isfile(full): continue
        with open(full, "rb") as file: text = file.read()
        if not path.search(text): continue
        if not is_known(folder, name) or b"\0" in text: sys.exit(1)
        text = path.sub(lambda found: new, text)
        mode = os.stat(full).st_mode
        os.unlink(full)
        with open(full, "wb") as file: file.write(text)
        os.chmod(full, mode & 0o7777)`;
