/** What the transfer asks a server before it plans: tools, the live release's manifest, what was touched, the spare. */
import { shellFile } from '../../remote/shellFile.ts';
import type { Query } from '../../remote/target.ts';
import { unescapePath } from '../tree/manifest.ts';
import type { HashTool } from './serverFunctions.ts';

export interface TransferFacts {
  /** undefined: none of them is there, and nothing can be sent. */
  readonly hashTool: HashTool | undefined;
  /** tar, or bsdtar where that is its only name. */
  readonly tar: boolean;
  readonly zstd: boolean;
  readonly gzip: boolean;
  /** sha256 of `.durant/manifests/$live`; undefined where there is none. */
  readonly manifestDigest: string | undefined;
  /** Latin1 paths of the live release that later steps changed. */
  readonly touched: readonly string[];
  /** A complete spare of the live release. */
  readonly spare: SpareFacts | undefined;
}

export interface SpareFacts {
  readonly run: string;
  /** Paths that had drifted when the spare was made, so it lacks them. */
  readonly missing: readonly string[];
}

/** What `planTransfer` must send whatever the manifests say. */
export function resendPaths(facts: TransferFacts): readonly string[] {
  return [...facts.touched, ...(facts.spare?.missing ?? [])];
}

/**
 * Asked in `project_dir` (which may not exist: then anywhere) with `$live` = name of the live release or empty. Lines of what else the script
 * prints are passed over.
 */
export const transferProbe: Query<TransferFacts> = {
  script: shellFile(import.meta.url, './probe.sh'),
  parse: parseTransferProbe,
};

function parseTransferProbe(stdout: Buffer): TransferFacts {
  const values = new Map<string, string[]>();
  for (const line of stdout.toString('latin1').split('\n')) {
    const match = /^transfer\.([a-z]+)=(.*)$/s.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const list = values.get(match[1]);
    if (list === undefined) values.set(match[1], [match[2]]);
    else list.push(match[2]);
  }
  const first = (key: string): string => values.get(key)?.[0] ?? '';
  const paths = (key: string): string[] => (values.get(key) ?? []).map(unescapePath);
  const digest = /^[0-9a-f]{64}$/.exec(first('manifest'))?.[0];
  const spareRun = /^spare\.([A-Za-z0-9._-]+)$/.exec(first('spare'))?.[1];
  return {
    hashTool: hashTool(first('hash')),
    tar: first('tar') === 'yes',
    zstd: first('zstd') === 'yes',
    gzip: first('gzip') === 'yes',
    manifestDigest: digest,
    touched: paths('touched'),
    spare: spareRun === undefined ? undefined : { run: spareRun, missing: paths('missing') },
  };
}

function hashTool(name: string): HashTool | undefined {
  return name === 'sha256sum' || name === 'shasum' || name === 'sha256' || name === 'openssl'
    ? name
    : undefined;
}
