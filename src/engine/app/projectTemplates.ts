/** The templates of a stage: those in `templates_dir` of the project over the built-in ones. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { expandLocalPath } from '../../config/values/localPath.ts';
import type { StageRequest } from '../run/run.ts';
import { hasSite } from './site.ts';
import { BUILT_IN_TEMPLATES, type Templates } from './builtInTemplates.ts';

/** Absolute folder of the project's templates; it need not exist. */
export function templatesFolder(
  { settings, file }: Pick<StageRequest, 'settings' | 'file'>,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(dirname(file), expandLocalPath(settings.templates_dir, env));
}

export async function readTemplates(folder: string): Promise<Templates> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return BUILT_IN_TEMPLATES;
    throw error;
  }
  const own = await Promise.all(
    names
      .filter((name) => name === 'Caddyfile' || /\.(service|socket|timer)$/.test(name))
      .map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  );
  return { ...BUILT_IN_TEMPLATES, ...Object.fromEntries(own) };
}

/** What a stage's services are made of, for the recipe; null where it has none. */
export async function servicesRecipe(
  request: StageRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  if (request.processes.length === 0 && !hasSite(request.settings)) return null;
  return {
    processes: request.processes,
    roles: request.settings.server.map(({ roles }) => roles).filter((roles) => roles.length > 0),
    proxyDir: request.settings.proxy_dir,
    templates: await readTemplates(templatesFolder(request, env)),
  };
}
