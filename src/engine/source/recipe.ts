/** What shaped a release besides its commit, as a digest: the same commit and the same recipe are the same release. */
import { createHash, scryptSync } from 'node:crypto';
import type { OptionKey, Settings } from '../../config/options/options.ts';
import { servicesRecipe } from '../app/projectTemplates.ts';
import type { FetchedRun } from '../run/run.ts';

/** Options that change what a release is, or what was done to build it. */
const SHAPING = [
  'sub_directory',
  'exclude',
  'submodules',
  'lfs',
  'before_deploy',
  'build_command',
  'env',
  'strategy',
  'delete',
  'overwrite_newer',
  'shared_dirs',
  'shared_files',
  'copy_dirs',
  'writable_dirs',
  'writable_mode',
  'writable_chmod_mode',
  'writable_recursive',
  'http_user',
  'http_group',
  'vendors',
  'clear_paths',
  'release_command',
  'release_role',
  'version',
  'distfile',
  'requirements',
  'python_version',
  'install_mode',
  'install_roles',
  'env_file',
  'env_target',
  'app',
  'processes',
  'systemd',
  'domain_name',
  'upstream',
  'publish',
  'statics',
  'asset_dirs',
  'proxy',
  'before_lock',
  'after_lock',
  'before_release',
  'after_release',
  'before_update_code',
  'after_update_code',
  'before_shared',
  'after_shared',
  'before_writable',
  'after_writable',
  'before_vendors',
  'after_vendors',
  'before_clear_paths',
  'after_clear_paths',
  'before_symlink',
  'after_symlink',
] as const satisfies readonly OptionKey[];

/** The recipe of the release that a run makes. */
export async function recipeOf({
  settings,
  request,
  host,
  environment,
  version,
}: FetchedRun): Promise<string> {
  return recipeDigest(settings, request.stage, request.secrets, {
    environment: environment?.digest ?? null,
    version: version ?? null,
    services: await servicesRecipe(request, host.env),
  });
}

/**
 * sha256 of the effective shaping options. Secrets go in by scrypt with the stage and project_dir as salt, so that the digest on the
 * server does not let them be guessed cheaply.
 * @param extra what shapes the release beside the options, e.g. the digest of an environment file.
 */
export function recipeDigest(
  settings: Settings,
  stage: string,
  secrets: readonly string[],
  extra: Readonly<Record<string, unknown>> = {},
): string {
  const options = SHAPING.map((key) => [key, settings[key] ?? null]);
  const hash = createHash('sha256').update(without(secrets, JSON.stringify([options, extra])));
  if (secrets.length > 0)
    hash.update(
      scryptSync(JSON.stringify(secrets), `durant ${stage} ${settings.project_dir}`, 32, { N: 4096 }),
    );
  return hash.digest('hex');
}

/** Every secret, however short, since anybody may guess at a plain hash. */
function without(secrets: readonly string[], json: string): string {
  return secrets
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, () => '***'), json);
}
