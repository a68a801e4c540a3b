/**
 * Where a release comes from, as an in-toto statement with SLSA's provenance predicate (https://slsa.dev/spec/v1.0/provenance), kept beside
 * its record and signed where `signing_key` names a key. Its subject is the release's manifest, which lists every file by its hash.
 */
import manifest from '../../../package.json' with { type: 'json' };
import { expandLocalPath } from '../../config/values/localPath.ts';
import { DurantError } from '../../errors.ts';
import { parseRepository } from '../../git/repository.ts';
import { quote } from '../../remote/shell.ts';
import type { BuiltRun } from '../run/run.ts';
import { localStep } from '../run/timed.ts';
import { dirname } from 'node:path';
import { runLocally } from './localCommand.ts';

export interface Provenance {
  /** The file's text; what is signed is exactly this. */
  readonly statement: string;
  /** In OpenSSH's armoured form; undefined where no key is named. */
  readonly signature: string | undefined;
}

/** `-n` of `ssh-keygen -Y`: what a signature is for. */
export const SIGNATURE_NAMESPACE = 'durant';
const BUILD_TYPE =
  'https://github.com/durant-deploy/durant/blob/main/docs/fleet.md#where-a-release-comes-from';

/** Undefined where the stage asks for none: it has neither `signing_key` nor `verify_commit`. @throws {DurantError} `signing-failed`. */
export async function makeProvenance(run: BuiltRun): Promise<Provenance | undefined> {
  if (run.settings.signing_key === undefined && !run.settings.verify_commit) return undefined;
  const statement = `${JSON.stringify(statementOf(run), null, 2)}\n`;
  const key = run.settings.signing_key;
  if (key === undefined) return { statement, signature: undefined };
  return localStep(run, 'sign', async () => ({ statement, signature: await sign(run, key, statement) }));
}

/** Script that keeps it, whole or not at all; the working directory is project_dir. */
export function writeProvenance(release: string, { statement, signature }: Provenance): string {
  const file = `.durant/releases/${release}.provenance.json`;
  const put = (path: string, text: string): string =>
    `printf %s ${quote(text)} > ${quote(`${path}.new`)} && mv -f ${quote(`${path}.new`)} ${quote(path)}`;
  return [...(signature === undefined ? [] : [put(`${file}.sig`, signature)]), put(file, statement)].join(
    ' && ',
  );
}

function statementOf(run: BuiltRun): object {
  const { commit, request, settings, host } = run;
  const repository = run.mask(
    parseRepository(settings.repository, dirname(request.file), host.env['HOME']).shown,
  );
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: run.release, digest: { sha256: run.tree.manifest.digest } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          stage: request.stage,
          repository,
          branch: commit.branch,
          ...(run.promotedFrom === undefined ? {} : { promoted_from: run.promotedFrom }),
        },
        internalParameters: { recipe: run.recipe },
        resolvedDependencies: [{ uri: `git+${repository}`, digest: { gitCommit: commit.id } }],
      },
      runDetails: {
        builder: {
          id: `durant://${encodeURIComponent(host.hostname)}/${encodeURIComponent(host.user)}`,
          version: { durant: manifest.version },
        },
        metadata: { invocationId: run.id, startedOn: run.started.toISOString() },
      },
    },
  };
}

async function sign(run: BuiltRun, key: string, statement: string): Promise<string> {
  const { host, signal, request } = run;
  const file = expandLocalPath(key, host.env);
  const { status, stdout, stderr } = await runLocally({
    program: 'ssh-keygen',
    args: ['-Y', 'sign', '-q', '-n', SIGNATURE_NAMESPACE, '-f', file],
    input: statement,
    cwd: dirname(request.file),
    // It would ask on the terminal, which is not its own: a key with a passphrase is the agent's.
    env: { ...host.env, SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force' },
    signal,
  });
  if (status === 0 && stdout.includes('BEGIN SSH SIGNATURE')) return stdout;
  throw new DurantError(
    'signing-failed',
    `The record could not be signed with ${key}; nothing was changed.`,
    {
      remedy:
        'Name a key of yours with signing_key, and where it has a passphrase, add it to the agent first',
      command: `ssh-add ${key}`,
      output: stderr.trim(),
    },
  );
}
