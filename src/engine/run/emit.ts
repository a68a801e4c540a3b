/** What leaves the engine: events without secrets, and questions announced among them. */
import { createMasker, type Masker } from '../../config/values/mask.ts';
import type { Prompter } from '../../remote/target.ts';
import type { Emit, RunEvent } from '../events.ts';

/** Fields that say which thing an event is about: names of durant.conf and of the contract, which a masked word would make useless. */
const NAMES = ['event', 'server', 'step', 'state', 'kind', 'stream', 'stage', 'run', 'action'];

/** Wraps `emit` so that no secret passes, in whatever field; `addSecrets` adds to the secrets. */
export function maskedEmit(
  emit: Emit,
  secrets: readonly string[],
): { emit: Emit; mask: Masker; addSecrets: (secrets: readonly string[]) => void } {
  let hidden = [...secrets];
  let masker = createMasker(hidden);
  const mask: Masker = Object.assign((text: string) => masker(text), { longest: () => masker.longest() });
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return mask(value);
    if (Array.isArray(value)) return value.map(walk);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        NAMES.includes(key) && typeof inner === 'string' ? inner : walk(inner),
      ]),
    );
  };
  return {
    emit: (event) => emit(hidden.length === 0 ? event : (walk(event) as RunEvent)),
    mask,
    addSecrets: (more) => {
      const fresh = more.filter((secret) => !hidden.includes(secret));
      if (fresh.length === 0) return;
      hidden = [...hidden, ...fresh];
      masker = createMasker(hidden);
    },
  };
}

/** The host's prompter, announced in the event stream. */
export function announcedPrompter(prompt: Prompter, emit: Emit): Prompter {
  let count = 0;
  return (request, signal) => {
    emit({
      event: 'prompt',
      id: String(++count),
      kind: request.kind,
      server: request.server,
      message: request.message,
    });
    return prompt(request, signal);
  };
}
