/** Replacing one link by another in one step: how a server's commands that can are tried, and the script that does it. Pure sh text. */
import { scratchFolder } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';

/** Commands that rename one link onto another which leads to a folder, as linkSwitch.sh knows them. The first that works is taken. */
const METHODS = ['mv -T', 'mv -h', 'gnumv -T', 'busybox mv -T', 'perl', 'python3'] as const;

export type SwitchMethod = (typeof METHODS)[number];

export function isSwitchMethod(text: string | undefined): text is SwitchMethod {
  return METHODS.some((method) => method === text);
}

/** Defines `replace_link METHOD PATH TEXT RUN`: makes PATH a link of that text, in project_dir. RUN: whose scratch folder it is made in. */
export const replaceLinkFunction = shellFile(import.meta.url, './linkSwitch.sh');

const attempts = shellFile(import.meta.url, './trySwitch.sh');

/** Prints `switch=METHOD` of the first method that works. */
export function trySwitch(): string {
  return `(\n${replaceLinkFunction}${scratchFolder('t')}\n${attempts}) </dev/null 2>/dev/null`;
}
