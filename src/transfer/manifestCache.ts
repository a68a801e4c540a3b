import type { Connection } from '../remote/target.ts';
import type { Manifest } from './manifest.ts';

export interface FetchManifestRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly release: string;
  /** sha256 that `transferProbe` reported. */
  readonly digest: string;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}
/** The manifest with this digest: from the cache, else from the server (one round trip), and then cached. */
export declare function fetchManifest(request: FetchManifestRequest): Promise<Manifest>;
/** Keeps a manifest for the next run (after update_code). */
export declare function rememberManifest(cacheDir: string, manifest: Manifest): Promise<void>;
