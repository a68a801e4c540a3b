/** Manifests of servers' releases, kept here by digest: what has been read or written once is not fetched again. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DurantError } from '../../errors.ts';
import { quote, quotePath } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { parseManifest, serializeManifest, type Manifest } from './manifest.ts';

export interface FetchManifestRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly release: string;
  /** sha256 that the probe reported. */
  readonly digest: string;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** How many are kept. */
const capacity = 40;

/**
 * The manifest with this digest: from the cache, else from the server (one round trip), and then kept.
 * @throws {DurantError} `verification-failed` where the server's file has another digest by now.
 */
export async function fetchManifest(request: FetchManifestRequest): Promise<Manifest> {
  const file = join(request.cacheDir, request.digest);
  const known = await readFile(file).then(parseManifest, () => undefined);
  if (known?.digest === request.digest) {
    const now = new Date();
    await utimes(file, now, now).catch(() => undefined);
    return known;
  }
  const chunks: Buffer[] = [];
  const path = `${quotePath(request.projectDir)}/${quote(`.durant/manifests/${request.release}`)}`;
  await request.connection.exec({
    script: `if command -v gzip >/dev/null 2>&1; then gzip -1 -c <${path}; else cat <${path}; fi\n`,
    onOutput: (stream, chunk) => {
      if (stream === 'stdout') chunks.push(chunk);
    },
    signal: request.signal,
    ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
  });
  const answer = Buffer.concat(chunks);
  const isPacked = answer[0] === 0x1f && answer[1] === 0x8b;
  const text = isPacked ? await promisify(gunzip)(answer) : answer;
  const manifest = parseManifest(text);
  if (manifest?.digest !== request.digest)
    throw new DurantError(
      'verification-failed',
      `The manifest of release ${request.release} on ${request.connection.address.entry} could not be read as it is there.`,
      { remedy: 'Deploy again.', server: request.connection.address.entry },
    );
  await rememberManifest(request.cacheDir, manifest);
  return manifest;
}

/** Keeps a manifest for the next run (to be called after `updateCode` with the tree's). A cache that cannot be written is only slower. */
export async function rememberManifest(cacheDir: string, manifest: Manifest): Promise<void> {
  const file = join(cacheDir, manifest.digest);
  const temporary = `${file}.${process.pid.toString()}`;
  try {
    await mkdir(cacheDir, { recursive: true });
    await writeFile(temporary, serializeManifest(manifest));
    await rename(temporary, file);
    await forgetOldest(cacheDir);
  } catch {
    await rm(temporary, { force: true });
  }
}

async function forgetOldest(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (names.length <= capacity) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(join(cacheDir, name))).mtimeMs })),
  );
  dated.sort((a, b) => b.time - a.time);
  await Promise.all(dated.slice(capacity).map(({ name }) => rm(join(cacheDir, name), { force: true })));
}
