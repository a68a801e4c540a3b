/** A stage as the engine takes it, read from durant.conf on disk with its value resolvers run. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { positionAt } from '../../config/document.ts';
import { parseConf } from '../../config/parse.ts';
import { secretFromEnvironment } from '../../config/resolvers.ts';
import { resolvePipeline } from '../../config/pipeline.ts';
import { resolveForRun } from '../../config/runSettings.ts';
import type { ValueIo } from '../../config/values.ts';
import { selectServers, type Host, type StageRequest } from '../../engine/index.ts';
import { DurantError } from '../../errors.ts';
import { quotePath } from '../../remote/shell.ts';
import type { StageCall } from './protocol.ts';

/**
 * @param goals whether the goals of its pipeline are wanted, too; their resolvers may ask for secrets.
 * @throws {DurantError} `config-not-found`, and whatever is wrong with the configuration.
 */
export async function openStage(
  call: StageCall,
  host: Host,
  signal: AbortSignal,
  goals: 'with goals' | 'without goals' = 'without goals',
): Promise<StageRequest> {
  const doc = parseConf(await read(call.file));
  const first = doc.problems.find(({ severity }) => severity === 'error');
  if (first !== undefined) {
    const { line, column } = positionAt(doc, first.range.start);
    throw new DurantError(
      'config-invalid',
      `${call.file}:${String(line)}:${String(column)}: ${first.message}`,
    );
  }
  const io = valueIo(call, host, signal);
  const { settings, processes, secrets } = await resolveForRun(doc, call.stage, io);
  return {
    stage: call.stage,
    settings,
    processes,
    secrets,
    file: call.file,
    servers: selectServers(settings.server, call.servers),
    ...(goals === 'with goals' ? { pipeline: await resolvePipeline(doc, settings.pipeline, io) } : {}),
    // This process is started in trusted workspaces only.
    trusted: true,
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new DurantError(
      'config-not-found',
      `${file} cannot be read (${error instanceof Error ? error.message : String(error)}). Put it back, or run Durant: Create durant.conf.`,
      { cause: error },
    );
  }
}

function valueIo(call: StageCall, host: Host, signal: AbortSignal): ValueIo {
  const runHere = async (script: string, input: string | undefined, stop: AbortSignal) => {
    const here = await host.connect({
      address: { entry: 'local', host: 'localhost', user: undefined, port: undefined, local: true },
      user: undefined,
      port: undefined,
      identity: undefined,
      client: 'auto',
      hostKeyChecking: 'strict',
      mayAddHostKeys: false,
      connectTimeoutMs: 15_000,
      prompt: host.prompt,
      signal: stop,
    });
    try {
      const { status, stdout, stderr } = await here.exec({
        script: `cd -- ${quotePath(dirname(call.file))} || exit\n${script}`,
        ...(input === undefined ? {} : { input: Buffer.from(input) }),
        signal: stop,
      });
      return { status, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
    } finally {
      here.close();
    }
  };
  return {
    env: host.env,
    signal,
    runShell: (command, stop) => runHere(command, undefined, stop),
    secret: async (name, stop) =>
      secretFromEnvironment(name, host.env) ??
      (await host.prompt({ kind: 'secret', server: null, message: `The secret ${name}`, name }, stop)),
    gpg: async (message, stop) => {
      const { status, stdout, stderr } = await runHere('exec gpg --quiet --decrypt', message, stop);
      if (status !== 0)
        throw new Error(stderr.trim() === '' ? `gpg ended with status ${String(status)}` : stderr.trim());
      return stdout;
    },
  };
}
