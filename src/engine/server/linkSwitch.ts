/** Replacing one link by another in one step: the commands that can, how a server's are tried, and the script that does it. Pure sh text. */
import { quote, scratchFolder } from '../../remote/shell.ts';

/** Commands that rename one link onto another which leads to a folder; FROM and TO follow. The first that works is taken. */
const COMMANDS = {
  'mv -T': 'mv -f -T',
  'mv -h': 'mv -f -h',
  'gnumv -T': 'gnumv -f -T',
  'busybox mv -T': 'busybox mv -f -T',
  perl: `perl -e 'rename($ARGV[0], $ARGV[1]) or die "$!\\n"'`,
  python3: `python3 -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])'`,
} as const;

export type SwitchMethod = keyof typeof COMMANDS;

export function isSwitchMethod(text: string | undefined): text is SwitchMethod {
  return text !== undefined && Object.hasOwn(COMMANDS, text);
}

export interface LinkReplacement {
  /** Relative to project_dir, which is the working directory. */
  readonly path: string;
  /** Text of the new link. */
  readonly link: string;
  /** Whose scratch folder in `.durant` it is made in. */
  readonly run: string;
  readonly method: SwitchMethod;
}

/**
 * A command that is true once `path` is the link. The new link is made in a folder from which it leads to the release as well: some mv
 * (uutils) look through both links, and move none that dangles onto one that leads to a folder.
 */
export function replaceLink({ path, link, run, method }: LinkReplacement): string {
  const folder = `.durant/current.${run}`;
  const place = `${folder}/${'in/'.repeat(path.split('/').length - 1)}`;
  return `{ rm -rf ${folder} && mkdir -p ${place} && ln -s ../../releases ${folder}/releases && ln -s ${quote(link)} ${place}link && ${COMMANDS[method]} ${place}link ${quote(path)} && rm -rf ${folder}; }`;
}

/**
 * Prints `switch=METHOD` of the first method that works, found by doing it in a scratch folder: a help text says less than what a tool
 * does. Where no such folder can be made nothing is known; GNU's way is taken then, so that a run fails with what is really wrong there.
 */
export function trySwitch(): string {
  const attempts = Object.keys(COMMANDS)
    .filter(isSwitchMethod)
    .map(
      (method) =>
        `rm -rf link && ln -s releases/1 link && ${replaceLink({ path: 'link', link: 'releases/2', run: 'try', method })} && [ "$(readlink link)" = releases/2 ] && echo ${quote(`switch=${method}`)} && exit`,
    );
  return `( ${scratchFolder('t')} || t=$(mktemp -d /var/tmp/durant.XXXXXX) || t=$(mktemp -d "$HOME/.durant.XXXXXX") || { echo 'switch=mv -T'; exit; }
  cd "$t" && mkdir -p .durant releases/1/in releases/2/in || { echo 'switch=mv -T'; exit; }
  ${attempts.join('\n  ')}
) </dev/null 2>/dev/null`;
}
