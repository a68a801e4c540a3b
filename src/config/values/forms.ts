/** What texts and list items have to look like: each check gives undefined, or what is wrong and how to write it. */
import type { ItemForm, TextForm } from '../options/options.ts';
import { GOAL_TYPES, isGoalType } from '../options/options.ts';
import type { ProblemCode } from '../syntax/problemCodes.ts';
import { isRole, isSafeWord } from './serverEntries.ts';
import { didYouMean } from '../rules/suggest.ts';

/** Why a value is refused; the sentence starts after the key: `branch: <message>`. */
export interface Refusal {
  readonly code: ProblemCode;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

export function wrong(message: string, suggestion?: string): Refusal {
  return { code: 'wrong-value', message, suggestion };
}

const CONTROL = /[\u0000-\u001f\u007f]/;

export function checkText(form: TextForm | undefined, text: string): Refusal | undefined {
  if (text.includes('\0')) return wrong('a NUL character is not allowed. Remove it.');
  if (form === undefined) return undefined;
  if (CONTROL.test(text)) return wrong('must be one line without control characters.');
  return CHECKS[form](text);
}

export function checkItem(form: ItemForm | undefined, text: string): Refusal | undefined {
  if (text.includes('\0')) return wrong('a NUL character is not allowed. Remove it.');
  switch (form) {
    case undefined:
      return undefined;
    case 'release-path':
      return releasePath(text);
    case 'goal-name':
      return /^[A-Za-z0-9._-]+\??$/.test(text)
        ? undefined
        : wrong(`"${text}" is not a goal name: letters, digits, ".", "_", "-", and "?" at the end.`);
    case 'process-name':
      return /^[A-Za-z0-9._-]+$/.test(text)
        ? undefined
        : wrong(`"${text}" is not a process name: letters, digits, ".", "_" and "-".`);
    case 'static-route':
      return staticRoute(text);
    case 'host':
      return /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/.test(text)
        ? undefined
        : wrong(`"${text}" is not a host name such as shop.example.com.`);
    case 'role':
      return role(text);
    case 'wave-size':
      return waveSize(text);
  }
}

function role(text: string): Refusal | undefined {
  return isRole(text) ? undefined : wrong(`"${text}" is not a role: letters, digits and "-".`);
}

function waveSize(text: string): Refusal | undefined {
  const match = /^(\d{1,6})(%?)$/.exec(text);
  const number = Number(match?.[1]);
  const isSize = match !== null && number > 0 && (match[2] === '' || number <= 100);
  return isSize || text === 'rest'
    ? undefined
    : wrong(
        `"${text}" is not the size of a wave. Write a number of servers, a percentage from 1% to 100%, or rest.`,
      );
}

const CHECKS: Readonly<Record<TextForm, (text: string) => Refusal | undefined>> = {
  repository: (text) => {
    if (/^(?:ext|fd)::/i.test(text))
      return wrong('ext:: and fd:: run programs and are refused. Use a path or URL.');
    return notAnOption(text);
  },
  path: notAnOption,
  'relative-path': relativePath,
  'release-path': releasePath,
  'current-path': (text) =>
    relativePath(text) ??
    reserved(text, ['.durant', 'releases', 'shared'], 'Write another, such as current.'),
  'project-dir': projectDir,
  name: (text) =>
    isSafeWord(text)
      ? undefined
      : wrong(`"${text}" is not a name: letters, digits and . _ : % - only, not starting with -.`),
  app: (text) =>
    /^[a-z0-9][a-z0-9-]*$/.test(text)
      ? undefined
      : wrong(`"${text}" is not an app name: lower-case letters, digits and "-".`),
  role,
  'variable-name': (text) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
      ? undefined
      : wrong(`"${text}" is not a variable name: letters, digits and "_".`),
  'release-name': releaseName,
  'octal-mode': (text) =>
    /^[0-7]{3,4}$/.test(text) ? undefined : wrong(`"${text}" is not an octal mode such as 0755.`),
  upstream: (text) =>
    /^unix\/(?:\/?\S+|\{socket\})$/.test(text) ||
    /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?:\d{1,5}|\{port\})$/.test(text)
      ? undefined
      : wrong(`"${text}" is not unix//path, host:port, unix/{socket} or 127.0.0.1:{port}.`),
  version: (text) =>
    /^\d[A-Za-z0-9.]*$/.test(text)
      ? undefined
      : wrong(`"${text}" is not a version: write it as 3, 3.12 or 3.12.4.`),
  url: (text) =>
    isWebUrl(text) ? undefined : wrong(`"${text}" is not an address that starts with https:// or http://.`),
  'goal-type': goalType,
  'git-ref': gitRef,
  size: (text) =>
    /^\d{1,12}[KMGT]?$/.test(text) || /^(?:100|[1-9]?\d)%$/.test(text)
      ? undefined
      : wrong(`"${text}" is not a size such as 512M, 2G or 50%.`),
  'port-range': (text) =>
    parsePortRange(text) === undefined
      ? wrong(`"${text}" is not a range of ports such as 20000-29999.`)
      : undefined,
};

/** Whether a health check or address is a URL rather than a command. */
export function isWebUrl(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text) && URL.canParse(text);
}

/** The first and the last port of a range; undefined for a text that is none. */
export function parsePortRange(text: string): readonly [first: number, last: number] | undefined {
  const match = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  return first >= 1 && first <= last && last <= 65_535 ? [first, last] : undefined;
}

function notAnOption(text: string): Refusal | undefined {
  return text.startsWith('-')
    ? wrong('must not start with "-": programs would take it for an option.')
    : undefined;
}

/** Components of a path without empty ones and `.`. */
export function pathParts(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function relativePath(text: string): Refusal | undefined {
  const refuse = (why: string): Refusal => ({
    code: 'unsafe-path',
    message: `"${text}" ${why}. Write it relative to the release, without "..".`,
  });
  if (CONTROL.test(text)) return refuse('has control characters');
  if (text.startsWith('/') || /^[A-Za-z]:[\\/]/.test(text)) return refuse('is absolute');
  if (text === '~' || text.startsWith('~/')) return refuse('starts at the home folder');
  const parts = pathParts(text);
  if (parts.includes('..')) return refuse('leaves the folder');
  if (parts.length === 0) return refuse('is the release itself');
  return text.startsWith('-') ? wrong('must not start with "-". Write it as ./-name.') : undefined;
}

/** With `strategy: inplace` the release is `project_dir` itself; with releases the tree's own `.durant` is never sent. */
function releasePath(text: string): Refusal | undefined {
  return relativePath(text) ?? reserved(text, ['.durant'], 'Remove it.');
}

function reserved(text: string, names: readonly string[], remedy: string): Refusal | undefined {
  const name = names.find((each) => each === pathParts(text)[0]);
  if (name === undefined) return undefined;
  return {
    code: 'reserved-path',
    message: `"${text}" cannot be used: Durant keeps its own files in ${name}. ${remedy}`,
  };
}

function projectDir(text: string): Refusal | undefined {
  const refuse = (why: string): Refusal => ({
    code: 'unsafe-project-dir',
    message: `"${text}" ${why}. Name a folder of its own, such as /var/www/shop or ~/shop.`,
  });
  if (!text.startsWith('/') && text !== '~' && !text.startsWith('~/'))
    return refuse('is neither absolute nor starts with ~/');
  const parts = pathParts(text.startsWith('~') ? text.slice(1) : text);
  if (parts.includes('..')) return refuse('has ".."');
  return parts.length === 0 ? refuse('would put the whole folder in the hands of a deploy') : undefined;
}

const PLACEHOLDERS = ['date', 'commit', 'branch', 'version'];

function releaseName(text: string): Refusal | undefined {
  for (const [whole, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (PLACEHOLDERS.includes(name ?? '')) continue;
    const meant = didYouMean(name ?? '', PLACEHOLDERS);
    return wrong(
      `${whole} is unknown. Use {date}, {commit}, {branch} and {version}.`,
      meant === undefined ? undefined : text.replace(whole, `{${meant}}`),
    );
  }
  const rest = text.replaceAll(/\{[^{}]*\}/g, 'x');
  return /^[A-Za-z0-9_][A-Za-z0-9._+@-]*$/.test(rest)
    ? undefined
    : wrong('may hold letters, digits and . _ + @ -, and must not start with one of . - + @.');
}

function goalType(text: string): Refusal | undefined {
  if (isGoalType(text) || text.startsWith('./')) return undefined;
  const names = Object.keys(GOAL_TYPES);
  return {
    code: 'unknown-goal-type',
    message: `"${text}" is not a goal type. Use one of ${names.join(', ')}, or the path of a module that starts with ./.`,
    suggestion: didYouMean(text, names),
  };
}

function gitRef(text: string): Refusal | undefined {
  const bad =
    text.startsWith('-') ||
    /[\s~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|\/$|\.$/.test(text) ||
    text === '@' ||
    text.startsWith('/');
  return bad ? wrong(`"${text}" is not a branch, tag or full commit id.`) : undefined;
}

/** `/url/ = folder`. */
export function parseStaticRoute(
  text: string,
): { readonly url: string; readonly folder: string } | undefined {
  const match = /^(\/\S*)\s*=\s*(\S.*)$/.exec(text);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { url: match[1], folder: match[2] };
}

function staticRoute(text: string): Refusal | undefined {
  const route = parseStaticRoute(text);
  if (route === undefined) return wrong(`"${text}" is not "/url/ = folder".`);
  return releasePath(route.folder);
}
