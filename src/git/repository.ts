/** What `repository` and `remote` of durant.conf may be, and how they are shown: never with a secret. */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platform } from '../platform.ts';
import { DurantError } from '../errors.ts';

/** Who logs in to a host by http. */
export interface Credentials {
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly user: string;
  readonly password: string | undefined;
}

/** A repository as git is given it. */
export interface Repository {
  /** Absolute path or URL, without password. */
  readonly url: string;
  /** What an http URL had in front of its host; see credentials.ts. */
  readonly credentials: Credentials | undefined;
  /** `https://host[:port]` where somebody may have to log in and the URL does not say as whom. */
  readonly origin: string | undefined;
  /** For people. */
  readonly shown: string;
  /** A path of this machine (`file://` included), whose submodules may be such paths, too. */
  readonly local: boolean;
  /** Reached through ssh. */
  readonly ssh: boolean;
  /** Name of its folder in the cache; the same whatever the credentials. */
  readonly key: string;
}

/**
 * Reads `repository`: a URL, git's `[user@]host:path`, or a path relative to `directory`; `~/` is the home folder.
 *
 * @throws {DurantError} `config-invalid` for what git may not be given.
 */
export function parseRepository(
  text: string,
  directory: string,
  home: string | undefined = undefined,
): Repository {
  const written = text.trim();
  if (written === '') refuse('is empty', 'Write the path or URL of the project to deploy');
  if (written.startsWith('-')) refuse(`starts with "-"`, 'Write ./ before a path');
  if (/[\u0000-\u001f\u007f]/.test(written)) refuse('holds a control character', 'Remove it');
  const helper = /^([A-Za-z0-9][A-Za-z0-9+.-]*)::/.exec(written)?.[1];
  if (helper !== undefined && /^(ext|fd)$/i.test(helper))
    refuse(`uses "${helper}::", which runs commands`, 'Use ssh, https or a path');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(written)?.[1]?.toLowerCase();
  if (scheme === 'ext' || scheme === 'fd')
    refuse(`uses "${scheme}://", which runs commands`, 'Use ssh, https or a path');
  if (helper !== undefined) return repository(written, { local: false, ssh: false });
  if (scheme === 'file') return repository(written, { local: true, ssh: false });
  if (scheme !== undefined)
    return repository(written, { local: false, ssh: /^(git\+)?ssh(\+git)?$/.test(scheme) });
  if (isScpLike(written)) {
    const host = written.slice(written.lastIndexOf('@', written.indexOf(':')) + 1);
    if (host.startsWith('-')) refuse('names a host that starts with "-"', 'Write the host alone');
    return repository(written, { local: false, ssh: true });
  }
  const path = home !== undefined && /^~(\/|$)/.test(written) ? `${home}${written.slice(1)}` : written;
  return repository(resolve(directory, path), { local: true, ssh: false });
}

/**
 * A name that git takes for a remote.
 *
 * @throws {DurantError} `config-invalid`.
 */
export function checkRemoteName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(name) && !/\.\.|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(name)) return;
  throw new DurantError(
    'config-invalid',
    `\`remote\` is not a name that git takes for a remote: ${JSON.stringify(name)}.`,
    { remedy: 'Use letters, digits, - and _, such as origin.' },
  );
}

/** Takes passwords and tokens in URLs out of a text: those of this repository, and whatever looks like one. */
export function withoutSecrets(text: string, repositories: readonly Repository[] = []): string {
  const known = repositories.flatMap((each) => passwordsOf(each.credentials));
  const masked = known.reduce((rest, secret) => rest.split(secret).join('***'), text);
  return masked
    .replace(/(https?:\/\/)[^\s/@'"]+@/gi, '$1***@')
    .replace(/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@'"]*):[^\s/@'"]+@/gi, '$1:***@')
    .replace(/([?&](?:access_|private_|auth_)?(?:token|key|password)=)[^&\s'"]+/gi, '$1***');
}

/** Git's rule: a colon before any slash; on Windows a single letter before it is a drive. */
function isScpLike(text: string): boolean {
  const colon = text.indexOf(':');
  if (colon <= 0) return false;
  const slash = text.search(platform.separator);
  if (slash !== -1 && slash < colon) return false;
  return !(platform.hasDrives && colon === 1);
}

function repository(written: string, kind: { readonly local: boolean; readonly ssh: boolean }): Repository {
  const shown = withoutSecrets(written);
  const { url, credentials } = apart(written);
  const identity = url
    .replace(
      /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/@:]*)(?::[^/@]*)?@)?([^/]*)/i,
      (_all, scheme, user, host) =>
        // A token in the place of the user changes with every job of a CI; the host decides what is behind it.
        `${String(scheme).toLowerCase()}${/^https?:/i.test(String(scheme)) ? '' : `${String(user ?? '')}@`}${String(host).toLowerCase()}`,
    )
    .replace(/\/+$/, '');
  const name = basename(decodedPath(identity).replace(/\/(\.git)?$/, ''))
    .replace(/\.git$/, '')
    .replace(/^.*:/, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 40);
  return {
    url,
    credentials,
    origin: credentials === undefined ? /^https?:\/\/[^/?#]+/i.exec(url)?.[0] : undefined,
    shown,
    ...kind,
    key: `${name === '' ? 'repository' : name}-${shortHash(identity)}`,
  };
}

/** The first digits of a hash, for names of folders. */
export function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}

/** The local folder or file of a repository; undefined where it is elsewhere. */
export function localPath(of: Repository): string | undefined {
  if (!of.local) return undefined;
  if (!/^file:/i.test(of.url)) return of.url;
  try {
    return fileURLToPath(of.url);
  } catch {
    // file://host/path, which git reads in its own way.
    return undefined;
  }
}

function decodedPath(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** A URL without its password, and without its user where http asks for both. */
function apart(written: string): Pick<Repository, 'url' | 'credentials'> {
  const [, scheme, info, rest] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(written) ?? [];
  if (scheme === undefined || info === undefined || rest === undefined)
    return { url: written, credentials: undefined };
  const colon = info.indexOf(':');
  const user = colon === -1 ? info : info.slice(0, colon);
  // ssh takes no password from a URL.
  if (!/^(https?|ftps?):/i.test(scheme)) return { url: `${scheme}${user}@${rest}`, credentials: undefined };
  const credentials = {
    origin: `${scheme}${/^[^/?#]*/.exec(rest)?.[0] ?? ''}`,
    user: decodedPath(user),
    password: colon === -1 ? undefined : decodedPath(info.slice(colon + 1)),
  };
  if (/[\0\r\n]/.test(`${credentials.user}${credentials.password ?? ''}`))
    refuse('holds a control character', 'Remove it');
  return { url: `${scheme}${rest}`, credentials };
}

function passwordsOf(credentials: Credentials | undefined): readonly string[] {
  const secret = credentials?.password ?? credentials?.user ?? '';
  // Shorter ones would mask ordinary words; git itself does not repeat them outside of the URL.
  return [secret, encodeURIComponent(secret)].filter((each) => each.length >= 6);
}

function refuse(what: string, remedy: string): never {
  throw new DurantError('config-invalid', `\`repository\` ${what}.`, { remedy: `${remedy}.` });
}
