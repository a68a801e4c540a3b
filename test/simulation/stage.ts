/** Servers that are folders, and clients that run on them without the chance of a simulation: one operation after the other. */
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { quote } from '../../src/remote/shell.ts';
import { begin, type Client, type Machine, type Operation } from './client.ts';
import type { Watch } from './invariants.ts';
import { cancelled, makeServer, resultOf, start, type SimulatedServer, type Waiting } from './server.ts';
import type { Shells } from './shells.ts';

export interface StageOptions {
  /** Where servers and the client's machine are; made here. */
  readonly folder: string;
  /** Where `makeTrees` wrote. */
  readonly trees: string;
  readonly shells: Shells;
  readonly servers: number;
  /** Lines of the stage beside those that every stage has. */
  readonly conf: readonly string[];
  /** Milliseconds that each script takes to reach its server, and its answer to come back. Default 0. */
  readonly latency?: number;
}

export interface Stage {
  readonly servers: readonly SimulatedServer[];
  /**
   * Carries an operation out, to its end.
   * @param options.path folder that comes first on the PATH of the first server's scripts.
   */
  run(operation: Operation, options?: { readonly path?: string; readonly watch?: Watch }): Promise<Client>;
}

/** Each operation is a minute after the one before. */
const START = Date.parse('2026-11-21T10:00:00Z');

export function makeStage(options: StageOptions): Stage {
  const { folder, trees, shells, latency } = options;
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const servers = Array.from({ length: options.servers }, (_, index) =>
    makeServer(folder, `web${index + 1}`),
  );
  const machine: Machine = { name: 'laptop', skew: 0, folder: join(folder, 'laptop') };
  const conf = [
    '[production]',
    'repository = .',
    `server = ${servers.map(({ entry }) => entry).join(', ')}`,
    'project_dir = ~/site',
    'spare = no',
    'dead_man = no',
    'health_retries = 0',
    ...options.conf,
    '',
  ].join('\n');
  let operations = 0;
  return {
    servers,
    async run(operation, { path, watch } = {}) {
      operations += 1;
      const now = START + operations * 60_000;
      const perform = async (waiting: Waiting): Promise<void> => {
        const { server, command } = waiting;
        const search =
          server === servers[0] && path !== undefined
            ? `PATH=${quote(`${path}${delimiter}`)}$PATH; export PATH; `
            : '';
        // Only a shell with no commands of its own looks for them on the PATH.
        server.sh = path === undefined && latency === undefined ? 'busybox sh' : 'dash';
        if (latency !== undefined) await delay(latency);
        const started = await start(
          waiting,
          shells,
          (script) =>
            `HOME=${quote(server.home)}; export HOME; TMPDIR=${quote(temporary)}; export TMPDIR; ${search}cd "$HOME" || exit 1\n${script}`,
        );
        const end = (): void => started.running.end();
        command.signal?.addEventListener('abort', end, { once: true });
        const result = await resultOf(started);
        command.signal?.removeEventListener('abort', end);
        if (latency !== undefined) await delay(latency);
        watch?.step(server.entry, client.actor());
        if (command.signal?.aborted === true) waiting.reject(cancelled());
        else waiting.resolve(result);
      };
      const client = begin({
        number: 0,
        machine,
        operation,
        conf,
        trees,
        servers,
        now: () => now,
        randomId: () => String(operations).padStart(8, '0'),
        queue: (waiting) => void perform(waiting).catch((error: Error) => waiting.reject(error)),
        reach: () => undefined,
      });
      await client.done;
      const ending = client.takeEnding();
      if (ending?.run !== undefined) watch?.end(ending.run);
      return client;
    },
  };
}
