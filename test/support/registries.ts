/** One HTTP server that speaks as much of the APIs of GitHub, RubyGems and npm as goals need, and can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Registries {
  readonly url: string;
  /** `METHOD /path` of each request, in order, with the status that it was answered with. */
  readonly requests: string[];
  /** What GitHub has. */
  readonly releases: Release[];
  /** What RubyGems has: `name version`, with the bytes of each. */
  readonly gems: Map<string, Buffer>;
  /** What npm has: name to versions. */
  readonly packages: Map<string, Set<string>>;
  /** The next requests that match are answered with this status instead, as often as `times` says. */
  fail(status: number, times: number, matches?: RegExp): void;
  /** What `/site` says after as many answers more. */
  serveLater(text: string, after: number): void;
  /** Never answers requests that match. */
  hang(matches: RegExp): void;
  forget(): void;
  stop(): Promise<void>;
}

interface Release {
  id: number;
  tag_name: string;
  target_commitish: string;
  name: string;
  body: string;
  draft: boolean;
  assets: { id: number; name: string; size: number; state: string; content: string }[];
}

/** The token that all three take. */
export const TOKEN = 'tok-0123456789abcdef';

export async function startRegistries(): Promise<Registries> {
  const requests: string[] = [];
  const releases: Release[] = [];
  const gems = new Map<string, Buffer>();
  const packages = new Map<string, Set<string>>();
  let faults: { status: number; times: number; matches: RegExp }[] = [];
  let later: { readonly text: string; after: number } | undefined;
  let hanging: RegExp | undefined;
  let ids = 0;

  const answer = async (request: IncomingMessage, body: Buffer): Promise<Answer> => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const line = `${request.method ?? ''} ${url.pathname}`;
    const fault = faults.find((each) => each.times > 0 && each.matches.test(line));
    if (fault !== undefined) {
      fault.times--;
      return { status: fault.status, json: { message: 'told to fail' } };
    }
    if (url.pathname.startsWith('/github/')) return github(request, url, body);
    if (url.pathname.startsWith('/gems/')) return rubygems(request, url, body);
    if (url.pathname.startsWith('/npm/')) return npm(request, url, body);
    if (url.pathname === '/site')
      return {
        status: 200,
        text: later !== undefined && later.after-- <= 0 ? later.text : 'Welcome, version 2',
      };
    if (url.pathname === '/moved') return { status: 302, text: '' };
    return { status: 404, text: 'nothing here' };
  };

  const github = (request: IncomingMessage, url: URL, body: Buffer): Answer => {
    const token = request.headers.authorization;
    if (token !== undefined && token !== `Bearer ${TOKEN}`)
      return { status: 401, json: { message: 'Bad credentials' } };
    const mayWrite = token !== undefined;
    const base = '/github/repos/example/shop';
    const path = url.pathname.slice(base.length);
    if (!url.pathname.startsWith(base)) return { status: 404, json: { message: 'Not Found' } };
    const shown = (release: Release): unknown => ({
      ...release,
      upload_url: `${at()}${base}/releases/${release.id}/assets{?name,label}`,
    });
    if (request.method === 'GET') {
      if (path === '') return { status: 200, json: { permissions: { push: mayWrite } } };
      if (path === '/releases')
        return { status: 200, json: releases.filter(({ draft }) => !draft || mayWrite).map(shown) };
      const tag = /^\/releases\/tags\/(.*)$/.exec(path)?.[1];
      const found = releases.find(({ tag_name, draft }) => tag_name === tag && !draft);
      return found === undefined
        ? { status: 404, json: { message: 'Not Found' } }
        : { status: 200, json: shown(found) };
    }
    if (!mayWrite) return { status: 404, json: { message: 'Not Found' } };
    if (request.method === 'POST' && path === '/releases') {
      const {
        tag_name,
        target_commitish = '',
        name = '',
        body: notes = '',
        draft = false,
      } = JSON.parse(body.toString());
      const release = { id: ++ids, tag_name, target_commitish, name, body: notes, draft, assets: [] };
      releases.push(release);
      return { status: 201, json: shown(release) };
    }
    const of = releases.find(({ id }) => id === Number(/^\/releases\/(\d+)/.exec(path)?.[1]));
    if (request.method === 'PATCH' && of !== undefined) {
      Object.assign(of, JSON.parse(body.toString()));
      return { status: 200, json: shown(of) };
    }
    if (request.method === 'POST' && of !== undefined && path.endsWith('/assets')) {
      const name = url.searchParams.get('name') ?? '';
      if (of.assets.some((asset) => asset.name === name))
        return { status: 422, json: { message: 'Validation Failed: already_exists' } };
      of.assets.push({ id: ++ids, name, size: body.length, state: 'uploaded', content: body.toString() });
      return { status: 201, json: {} };
    }
    const asset = Number(/^\/releases\/assets\/(\d+)$/.exec(path)?.[1]);
    if (request.method === 'DELETE') {
      for (const release of releases) release.assets = release.assets.filter(({ id }) => id !== asset);
      return { status: 204, text: '' };
    }
    return { status: 404, json: { message: 'Not Found' } };
  };

  const rubygems = (request: IncomingMessage, url: URL, body: Buffer): Answer => {
    const versions = /^\/gems\/api\/v1\/versions\/(.*)\.json$/.exec(url.pathname)?.[1];
    if (versions !== undefined) {
      const found = [...gems.keys()].flatMap((key) =>
        key.startsWith(`${versions} `) ? [{ number: key.slice(versions.length + 1) }] : [],
      );
      return found.length === 0
        ? { status: 404, text: 'This rubygem could not be found.' }
        : { status: 200, json: found };
    }
    if (request.headers.authorization !== TOKEN) return { status: 401, text: 'Access Denied.' };
    if (url.pathname === '/gems/api/v1/gems.json') return { status: 200, json: [] };
    if (url.pathname === '/gems/api/v1/gems' && request.method === 'POST') {
      // A gem is a tar whose first entry is its metadata; which gem it is, the tests know.
      gems.set('shop 1.4.0', body);
      return { status: 200, text: 'Successfully registered gem: shop (1.4.0)' };
    }
    return { status: 404, text: '' };
  };

  const npm = (request: IncomingMessage, url: URL, body: Buffer): Answer => {
    const allowed = request.headers.authorization === `Bearer ${TOKEN}`;
    const name = decodeURIComponent(url.pathname.slice('/npm/'.length));
    if (name === '-/whoami')
      return allowed ? { status: 200, json: { username: 'ada' } } : { status: 401, json: { error: 'no' } };
    if (request.method === 'PUT') {
      if (!allowed) return { status: 401, json: { error: 'You must be logged in to publish packages.' } };
      const known = packages.get(name) ?? new Set();
      for (const version of Object.keys(JSON.parse(body.toString()).versions)) known.add(version);
      packages.set(name, known);
      return { status: 201, json: { ok: true } };
    }
    const known = packages.get(name);
    return known === undefined
      ? { status: 404, json: { error: 'Not found' } }
      : {
          status: 200,
          json: {
            name,
            'dist-tags': { latest: [...known].at(-1) },
            versions: Object.fromEntries([...known].map((version) => [version, { name, version }])),
          },
        };
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const line = `${request.method ?? ''} ${request.url?.split('?')[0] ?? ''}`;
      if (hanging?.test(line) === true) {
        requests.push(`${line} …`);
        return;
      }
      void answer(request, Buffer.concat(chunks)).then((given) => {
        requests.push(`${line} ${given.status}`);
        give(response, given);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: at(),
    requests,
    releases,
    gems,
    packages,
    fail: (status, times, matches = /./) => void faults.push({ status, times, matches }),
    serveLater: (text, after) => {
      later = { text, after };
    },
    hang: (matches) => {
      hanging = matches;
    },
    forget: () => {
      requests.length = 0;
      faults = [];
      later = undefined;
      hanging = undefined;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
}

function give(response: ServerResponse, { status, json, text }: Answer): void {
  response.writeHead(status, {
    'content-type': json === undefined ? 'text/plain' : 'application/json',
    ...(status === 302 ? { location: '/elsewhere' } : {}),
  });
  response.end(json === undefined ? text : JSON.stringify(json));
}
