/** Remembers why the runs of this window failed, so that agents can be told. */
import { collectFailure } from '../agents/failure.ts';
import type { AgentSession } from '../agents/session.ts';
import type { EngineClient } from '../engineProcess/client.ts';

/** What agents ask for is remembered by what comes of it. */
export function watchFailures(engine: EngineClient, session: AgentSession): EngineClient {
  return {
    ...engine,
    call: async (method, takes, options) => {
      if (method !== 'deploy' && method !== 'rollback') return engine.call(method, takes, options);
      const { take, failure, succeeded } = collectFailure();
      try {
        return await engine.call(method, takes, {
          ...options,
          emit: (event) => {
            take(event);
            options.emit?.(event);
          },
        });
      } finally {
        const failed = failure();
        if ('stage' in takes && takes.stage !== undefined && (failed !== undefined || succeeded()))
          session.sawRun(takes.file, takes.stage, failed);
      }
    },
  };
}
