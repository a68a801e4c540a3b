/** `type: npm_published`: a registry lists the version of package.json. The token goes through a file of one's own, never a command line. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { reasonOf } from '../../../errors.ts';
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import { quote } from '../../../remote/shell.ts';
import { commandFailure, hasProgram, outputOf, runHere } from './goalCommands.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { ask, below, field, httpFailure, mayPass } from './httpRequest.ts';
import { looking } from './lastLook.ts';

type Settings = GoalSettingsOf<'npm_published'>;
interface Package {
  readonly name: string;
  readonly version: string;
  readonly private: boolean;
}

/** What npm says of failures that another try may find gone. */
const PASSING =
  /\bcode (E429|E5\d\d|ECONNRESET|ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH)\b/;

export function npmPublished(name: string, settings: Settings): SectionGoal {
  const { registry, token } = settings;
  const command = `npm publish --registry=${quote(registry)} --tag=${quote(settings.tag)} --fetch-retries=0`;
  const folderOf = ({ directory }: GoalWork): string => resolve(directory, settings.directory);
  const authorization = (): Record<string, string> =>
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const listed = async (work: GoalWork, { name: of, version }: Package): Promise<boolean> => {
    const url = below(registry, of.replace('/', '%2f'));
    const headers = { ...authorization(), accept: 'application/vnd.npm.install-v1+json, application/json' };
    const answer = await ask(url, { headers, signal: work.signal });
    // A package that was never published.
    if (answer.status === 404) return false;
    if (answer.status !== 200)
      throw httpFailure(`Asking for the versions of ${of}`, url, answer, 'Check registry and token.');
    return field(field(answer.json, 'versions'), version) !== undefined;
  };
  const looks = looking(async (work) => {
    const found = await packageOf(folderOf(work));
    return { found, there: await listed(work, found) };
  });
  return {
    name,
    usesDirectory: true,
    network: true,
    async assess(work) {
      const found = await packageOf(folderOf(work));
      if (found.private)
        throw new GoalFailure(`${found.name} is private, so npm does not publish it.`, {
          remedy: 'Remove "private" from package.json.',
        });
      if (await listed(work, found)) return;
      if (!(await hasProgram(work, 'npm')))
        throw new GoalFailure('npm is not on the PATH of this machine.', { remedy: 'Install Node.js.' });
      await assertKnown(work, registry, token);
    },
    async achieved(work) {
      return (await looks.now(work)).there;
    },
    async reason(work) {
      const { found, there } = await looks.last(work);
      const what = `${found.name}@${found.version}`;
      return there ? `${registry} lists ${what}` : `${registry} does not list ${what} yet`;
    },
    async achieve(work) {
      work.run.emit({ event: 'command', server: null, step: name, command });
      const result = await withNpmrc(registry, token, work.run.host.env, (env) =>
        runHere(work, {
          script: `cd -- ${quote(folderOf(work))} || exit 1\n${command}`,
          env,
          output: 'shown',
        }),
      );
      if (result.status === 0) return;
      const { summary, mayPass, ...details } = commandFailure(command, result);
      throw new GoalFailure(summary, {
        ...details,
        mayPass: mayPass || PASSING.test(outputOf(result, 100)),
      });
    },
    commands: () => [command],
  };
}

/** @throws {GoalFailure} where the registry would not know who publishes. */
async function assertKnown(work: GoalWork, registry: string, token: string | undefined): Promise<void> {
  if (token === undefined) {
    const result = await runHere(work, {
      script: `npm whoami --registry=${quote(registry)} --fetch-retries=0`,
    });
    if (result.status !== 0 && /ENEEDAUTH|E401/.test(outputOf(result, 50)))
      throw new GoalFailure(`There is no token for ${registry}, and npm is not logged in there.`, {
        remedy: 'Set token, e.g. to secret!npm.',
      });
    return;
  }
  if (/[\s"]/.test(token))
    throw new GoalFailure('The npm token contains white space or quotes.', {
      remedy: 'Check where it comes from.',
    });
  const url = below(registry, '-/whoami');
  const answer = await ask(url, { headers: { authorization: `Bearer ${token}` }, signal: work.signal });
  // Some registries do not have this call, and tokens that may only publish are not told who they are: 403 and 404 say nothing.
  if (answer.status === 401 || mayPass(answer))
    throw httpFailure('Using the npm token', url, answer, 'Check token: it may have expired.');
}

/** Runs `work` with a user configuration of npm that has the token besides what the user's own says. */
async function withNpmrc<T>(
  registry: string,
  token: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  work: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  if (token === undefined) return work({});
  const own =
    env['npm_config_userconfig'] ?? env['NPM_CONFIG_USERCONFIG'] ?? join(env['HOME'] ?? homedir(), '.npmrc');
  const before = await readFile(own, 'utf8').catch(() => '');
  // mkdtemp makes folders that only their owner enters.
  const folder = await mkdtemp(join(tmpdir(), 'durant-npm-'));
  try {
    const file = join(folder, 'npmrc');
    const { host, pathname } = new URL(registry);
    const line = `//${host}${pathname.replace(/\/*$/, '/')}:_authToken=${token}`;
    await writeFile(file, `${before}\n${line}\n`, { mode: 0o600 });
    // npm takes either spelling; which one counts more is nothing to rely on.
    return await work({ npm_config_userconfig: file, NPM_CONFIG_USERCONFIG: file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {GoalFailure} where package.json is missing or lacks what publishing needs. */
async function packageOf(folder: string): Promise<Package> {
  const file = join(folder, 'package.json');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new GoalFailure(`${file} cannot be read: ${reasonOf(error)}.`, {
      remedy: 'Correct directory or working_dir.',
      cause: error,
    });
  }
  const name = field(json, 'name');
  const version = field(json, 'version');
  if (typeof name !== 'string' || typeof version !== 'string')
    throw new GoalFailure(`${file} has no name or no version.`, { remedy: 'Add them.' });
  return { name, version, private: field(json, 'private') === true };
}
