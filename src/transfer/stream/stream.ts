/** The built-in transfer: what a new release needs is sent in one compressed tar stream through the open connection, and checked. */
import { hashToolOf, sendLoad, type Load, type LoadRequest } from './load.ts';
import type { Manifest } from '../tree/manifest.ts';
import type { Plan } from '../tree/plan.ts';
import type { Tree } from '../tree/scan.ts';
import { updateScript, type Base } from './updateScript.ts';

export { cleanupScript } from './updateScript.ts';

export interface UpdateRequest extends LoadRequest {
  /** `project_dir`; `~/…` stands for the login user's home. */
  readonly projectDir: string;
  readonly run: string;
  /** Name of the new release; its folder may exist (what hooks put into it is kept, the tree wins). */
  readonly release: string;
  /** Commit id, for `REVISION`. */
  readonly commit: string;
  /** Name of the live release; undefined: none, or one without a manifest. */
  readonly live: string | undefined;
  readonly liveManifest: Manifest | undefined;
  readonly tree: Tree;
  /** Of this tree, this live manifest and `resendPaths(facts)`. */
  readonly plan: Plan;
  readonly unchanged: 'copy' | 'link';
  /** sh text for project_dir that runs after the check in the same round trip; where it fails the transfer has failed. */
  readonly after: string;
}

export interface UpdateResult {
  /** Files and links sent. */
  readonly files: number;
  /** Bytes of their content. */
  readonly bytes: number;
  /** Bytes that travelled, compressed. */
  readonly wireBytes: number;
  readonly usedSpare: boolean;
  /** Latin1 paths of the live release that neither its manifest nor its `.touched` explains; sent anew, never carried on. */
  readonly drift: readonly string[];
}

/**
 * Makes `releases/<release>` hold exactly the tree, with `REVISION`, and writes `.durant/manifests/<release>`. One round trip; one more
 * where the live release had drifted. A failure leaves what `cleanupScript` removes, and nothing else.
 * @throws {DurantError} `disk-full`, `verification-failed`, `tool-missing`, `remote-command-failed`, and those of `Connection.exec`.
 */
export async function updateCode(request: UpdateRequest): Promise<UpdateResult> {
  const base: Base =
    request.live === undefined || request.liveManifest === undefined
      ? { kind: 'fresh' }
      : { kind: 'live', release: request.live, spareRun: spareRun(request) };
  const first = await runUpdate(request, base, {
    send: base.kind === 'fresh' ? request.tree.entries : request.plan.send,
    remove: base.kind === 'fresh' ? [] : request.plan.remove,
  });
  if (first.drift.length === 0) return first;
  const drifted = new Set(first.drift);
  const again = await runUpdate(
    { ...request, before: '' },
    { kind: 'kept' },
    { send: request.tree.entries.filter((entry) => drifted.has(entry.path)), remove: [] },
  );
  return {
    files: first.files + again.files,
    bytes: first.bytes + again.bytes,
    wireBytes: first.wireBytes + again.wireBytes,
    usedSpare: false,
    drift: first.drift,
  };
}

/** A spare is a copy, so it is of no use to a stage that wants hard links. */
function spareRun(request: UpdateRequest): string | undefined {
  return request.unchanged === 'copy' ? request.facts.spare?.run : undefined;
}

async function runUpdate(request: UpdateRequest, base: Base, load: Load): Promise<UpdateResult> {
  const { carry } = request;
  const hashTool = hashToolOf(request);
  const { answer, sent } = await sendLoad(request, load, (decompress) =>
    updateScript({
      carrier: carry === undefined ? 'stream' : 'delivered',
      projectDir: request.projectDir,
      run: request.run,
      release: request.release,
      commit: request.commit,
      base,
      unchanged: request.unchanged,
      hashTool,
      decompress,
      digest: request.tree.manifest.digest,
      before: carry === undefined ? request.before : '',
      after: request.after,
    }),
  );
  return { ...sent, usedSpare: answer.base === 'spare', drift: answer.drift };
}
