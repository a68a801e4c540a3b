/** The part of GitHub's REST API that releases need (https://docs.github.com/rest/releases). */
import { below, field, ask, httpFailure, saidBy, type HttpAnswer, type HttpRequest } from './httpRequest.ts';
import { GoalFailure } from './goalFailure.ts';

export interface GithubRelease {
  readonly id: number;
  readonly name: string;
  readonly body: string;
  readonly draft: boolean;
  /** Template of the address that assets are sent to. */
  readonly uploadUrl: string | undefined;
  readonly assets: readonly GithubAsset[];
}

export interface GithubAsset {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** Whether all of it arrived. */
  readonly complete: boolean;
}

export interface GithubRepository {
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** What a release is made or changed with. */
export interface ReleaseFields {
  readonly tag_name: string;
  readonly target_commitish?: string;
  readonly name?: string;
  readonly body?: string;
  readonly draft: boolean;
}

const TOKEN_REMEDY =
  'Check token: it needs the permission to write contents of the repository (classic tokens: repo).';
/** A repository with more releases than this times 100 has its drafts among the first. */
const PAGES = 10;

/** The release of a tag, drafts included; undefined where there is none. @throws {GoalFailure}. */
export async function findRelease(github: GithubRepository, tag: string): Promise<GithubRelease | undefined> {
  const path = `releases/tags/${encodeURIComponent(tag)}`;
  const answer = await call(github, path);
  if (answer.status === 200) return releaseOf(answer.json);
  if (answer.status !== 404) throw failure(github, `Asking for the release of ${tag}`, path, answer);
  // Drafts are not found by their tag, and only listed to those who may write.
  if (github.token === undefined) return undefined;
  for (let page = 1; page <= PAGES; page++) {
    const listed = await call(github, `releases?per_page=100&page=${String(page)}`);
    if (listed.status === 404) return undefined;
    if (listed.status !== 200 || !Array.isArray(listed.json))
      throw failure(github, 'Listing releases', 'releases', listed);
    const found = listed.json.find((each) => field(each, 'tag_name') === tag);
    if (found !== undefined) return releaseOf(found);
    if (listed.json.length < 100) return undefined;
  }
  return undefined;
}

/** @throws {GoalFailure} where the token may not write there, as far as that can be known. */
export async function assertCanWrite(github: GithubRepository): Promise<void> {
  const answer = await call(github, '');
  if (answer.status === 404 && saidBy(answer) !== '') {
    // GitHub says so; a forge of the same API may just not have this call.
    const listed = await call(github, 'releases?per_page=1');
    if (listed.status !== 404) return;
    throw new GoalFailure(
      `There is no repository ${github.repository} at ${github.apiUrl}, or the token cannot see it.`,
      { remedy: 'Correct repository, or give the token access.' },
    );
  }
  if (answer.status === 404) return;
  if (answer.status !== 200)
    throw failure(github, `Looking at the repository ${github.repository}`, '', answer);
  const permissions = field(answer.json, 'permissions');
  if (field(permissions, 'push') === false)
    throw new GoalFailure(`The token can read ${github.repository} but not write to it.`, {
      remedy: TOKEN_REMEDY,
    });
}

export async function createRelease(github: GithubRepository, fields: ReleaseFields): Promise<GithubRelease> {
  const answer = await call(github, 'releases', { method: 'POST', body: { json: fields } });
  if (answer.status !== 201 && answer.status !== 200)
    throw failure(github, `Making the release ${fields.tag_name}`, 'releases', answer);
  return releaseOf(answer.json);
}

export async function updateRelease(
  github: GithubRepository,
  id: number,
  fields: Partial<ReleaseFields>,
): Promise<GithubRelease> {
  const path = `releases/${String(id)}`;
  const answer = await call(github, path, { method: 'PATCH', body: { json: fields } });
  if (answer.status !== 200) throw failure(github, 'Changing the release', path, answer);
  return releaseOf(answer.json);
}

export async function deleteAsset(github: GithubRepository, id: number): Promise<void> {
  const path = `releases/assets/${String(id)}`;
  const answer = await call(github, path, { method: 'DELETE' });
  if (answer.status !== 204 && answer.status !== 200 && answer.status !== 404)
    throw failure(github, 'Removing an incomplete asset', path, answer);
}

/** Sends a file. */
export async function uploadAsset(
  github: GithubRepository,
  release: GithubRelease,
  asset: { readonly name: string; readonly file: string },
): Promise<void> {
  const address =
    release.uploadUrl?.replace(/\{[^}]*\}$/, '') ??
    addressOf(github, `releases/${String(release.id)}/assets`);
  const url = `${address}?name=${encodeURIComponent(asset.name)}`;
  const answer = await ask(url, {
    method: 'POST',
    headers: headersOf(github),
    body: { file: asset.file },
    signal: github.signal,
  });
  if (answer.status !== 201 && answer.status !== 200)
    throw httpFailure(`Sending ${asset.name}`, url, answer, TOKEN_REMEDY);
}

function call(
  github: GithubRepository,
  path: string,
  request: Pick<HttpRequest, 'method' | 'body'> = {},
): Promise<HttpAnswer> {
  return ask(addressOf(github, path), { ...request, headers: headersOf(github), signal: github.signal });
}

function addressOf({ apiUrl, repository }: GithubRepository, path: string): string {
  const [owner = '', name = ''] = repository.split('/');
  const repos = below(apiUrl, `repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`);
  return path === '' ? repos : `${repos}/${path}`;
}

function headersOf({ token }: GithubRepository): Record<string, string> {
  return {
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

function failure(github: GithubRepository, doing: string, path: string, answer: HttpAnswer): GoalFailure {
  // GitHub limits how much may be asked with 403, too.
  const limited = answer.status === 403 && /rate limit/i.test(saidBy(answer));
  const url = addressOf(github, path);
  return limited
    ? new GoalFailure(`${doing} failed: GitHub's limit is reached (${saidBy(answer)}).`, {
        remedy: 'Try again later.',
        mayPass: true,
      })
    : httpFailure(doing, url, answer, TOKEN_REMEDY);
}

function releaseOf(json: unknown): GithubRelease {
  const assets = field(json, 'assets');
  return {
    id: numberOf(field(json, 'id')),
    name: textOf(field(json, 'name')),
    body: textOf(field(json, 'body')),
    draft: field(json, 'draft') === true,
    uploadUrl: textOf(field(json, 'upload_url')) || undefined,
    assets: Array.isArray(assets)
      ? assets.map((asset) => ({
          id: numberOf(field(asset, 'id')),
          name: textOf(field(asset, 'name')),
          size: numberOf(field(asset, 'size')),
          complete: (field(asset, 'state') ?? 'uploaded') === 'uploaded',
        }))
      : [],
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
