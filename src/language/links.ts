/** Document links: repositories, addresses, and files of the project and this machine. */
import type { ConfDocument, ConfOption, Range } from '../config/syntax/document.ts';
import { isWebUrl, pathParts } from '../config/values/forms.ts';
import { itemRange } from '../config/values/kinds.ts';
import type { OptionSpec } from '../config/options/options.ts';
import { itemResolver, itemsOf, wholeResolver } from '../config/values/resolvers.ts';
import { roleOf, sectionOf, specOf, type Role } from './layout.ts';

export type LinkTarget =
  | { readonly kind: 'url'; readonly url: string }
  /** A path of this machine as written, relative to durant.conf: `~` and `$VAR` are still to be expanded. */
  | { readonly kind: 'path'; readonly path: string };

export interface Link {
  readonly range: Range;
  readonly target: LinkTarget;
}

/** Options that name a file or folder on this machine. */
const LOCAL_PATHS = new Set([
  'ssh_identity',
  'signing_key',
  'env_file',
  'templates_dir',
  'temp_dir',
  'sub_directory',
  'requirements',
  'distfile',
  'notes_file',
  'working_dir',
  'directory',
  'filename',
  'assets',
  'shared_dirs',
  'shared_files',
  'copy_dirs',
  'writable_dirs',
  'clear_paths',
]);

/** What can be opened from the text. Values that interpolation or a resolver changes are left alone. */
export function linksOf(doc: ConfDocument): readonly Link[] {
  const roles = new Map<string, Role>();
  return doc.options.flatMap((option): readonly Link[] => {
    if (option.raw === '' || option.raw.includes('%')) return [];
    let role = roles.get(option.section);
    if (role === undefined) {
      role = roleOf(doc, sectionOf(doc, option));
      roles.set(option.section, role);
    }
    const spec = specOf(role, option.key);
    return spec === undefined ? [] : linksIn(option, spec, role);
  });
}

function linksIn(option: ConfOption, spec: OptionSpec, role: Role): readonly Link[] {
  if (wholeResolver(spec.kind, option.raw) !== undefined) return [];
  const link = (range: Range, target: LinkTarget | undefined): readonly Link[] =>
    target === undefined ? [] : [{ range, target }];
  if (spec.kind === 'text') {
    if (option.raw.includes('\n')) return [];
    if (option.key === 'repository' && role.place !== 'goal')
      return link(option.valueRange, repositoryTarget(option.raw));
    if (spec.form === 'url' && isWebUrl(option.raw)) return link(option.valueRange, webTarget(option.raw));
    if (spec.form === 'goal-type' && option.raw.startsWith('./'))
      return link(option.valueRange, { kind: 'path', path: option.raw });
    return LOCAL_PATHS.has(option.key) ? link(option.valueRange, pathTarget(option.raw)) : [];
  }
  if (spec.kind !== 'list' && option.key !== 'health_check') return [];
  return itemsOf(spec.kind, option.raw).flatMap((item) => {
    if (itemResolver(spec.kind, item.text) !== undefined) return [];
    const range = itemRange(option, option.raw, item);
    if (option.key === 'health_check')
      return link(range, isWebUrl(item.text) ? webTarget(item.text) : undefined);
    if (spec.kind === 'list' && spec.form === 'host')
      return link(range, item.text.includes('*') ? undefined : webTarget(`https://${item.text}/`));
    return LOCAL_PATHS.has(option.key) ? link(range, pathTarget(item.text)) : [];
  });
}

/** Only http and https, without the password that the address may hold. */
function webTarget(text: string): LinkTarget | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  url.username = '';
  url.password = '';
  return { kind: 'url', url: url.href };
}

/** A page in the browser for addresses, a folder for paths. */
function repositoryTarget(text: string): LinkTarget | undefined {
  if (/^https?:\/\//i.test(text)) return webTarget(text.replace(/\.git$/, ''));
  const ssh = /^(?:ssh:\/\/)?git@([A-Za-z0-9.-]+)(?::\d+\/|[:/])([\w./~-]+?)(?:\.git)?\/?$/.exec(text);
  if (ssh?.[1] !== undefined && ssh[2] !== undefined) return webTarget(`https://${ssh[1]}/${ssh[2]}`);
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) || /^[^/]+@[^/]+:/.test(text)) return undefined;
  return pathTarget(text);
}

/** Network shares are not opened by a click: opening one sends credentials there. */
function pathTarget(text: string): LinkTarget | undefined {
  if (/^(?:\\\\|\/\/)/.test(text) || /[\0{}*?]/.test(text)) return undefined;
  return pathParts(text).length === 0 && !text.startsWith('.') && text !== '/'
    ? undefined
    : { kind: 'path', path: text };
}
