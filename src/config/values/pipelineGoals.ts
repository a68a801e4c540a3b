/** The goals of a stage's `pipeline`, each with its section's values, their resolvers run. */
import { DurantError } from '../../errors.ts';
import type { ConfDocument } from '../syntax/document.ts';
import { resolveGoal, type ResolvedGoal, type ValueIo } from './settings.ts';

/** A goal of the pipeline: the built-in `deploy`, or a section `[goal NAME]`. */
export type PipelineGoal =
  | { readonly kind: 'deploy' }
  | {
      readonly kind: 'section';
      readonly name: string;
      /** Its failure is a warning: a trailing `?`, or `optional: yes`. */
      readonly optional: boolean;
      readonly settings: ResolvedGoal;
    };

export interface Pipeline {
  readonly goals: readonly PipelineGoal[];
  /** Texts among their values that no output may show: as `Resolved.secrets`. */
  readonly secrets: readonly string[];
}

/**
 * The goals that `items` (the value of `pipeline`) name, in their order.
 * Validation says the same of what is written; these may have come from a resolver.
 * @throws {DurantError} `config-invalid` for a goal without section or listed twice, and for an optional `deploy`; else as `resolveGoal`.
 */
export async function resolvePipeline(
  doc: ConfDocument,
  items: readonly string[],
  io: ValueIo,
): Promise<Pipeline> {
  const asked = new Map<string, Promise<string | undefined>>();
  const once: ValueIo = {
    ...io,
    // Several goals may use one secret: its question is asked once.
    secret: (name, signal) => {
      const answer = asked.get(name) ?? io.secret(name, signal);
      asked.set(name, answer);
      return answer;
    },
  };
  const goals: PipelineGoal[] = [];
  const secrets = new Set<string>();
  for (const item of items) {
    const name = item.replace(/\?$/, '');
    if (goals.some((goal) => nameOf(goal) === name))
      throw new DurantError('config-invalid', `"${name}" is listed twice in pipeline.`, {
        remedy: 'Remove one of the two.',
      });
    if (name === 'deploy') {
      if (item !== name)
        throw new DurantError(
          'config-invalid',
          '"deploy" in pipeline cannot be optional: the goals after it need what it makes live.',
          { remedy: 'Remove the "?".' },
        );
      goals.push({ kind: 'deploy' });
      continue;
    }
    const { settings, secrets: own } = await resolveGoal(doc, name, once);
    for (const secret of own) secrets.add(secret);
    goals.push({
      kind: 'section',
      name,
      optional: item !== name || settings.optional,
      settings,
    });
  }
  return { goals, secrets: [...secrets] };
}

function nameOf(goal: PipelineGoal): string {
  return goal.kind === 'deploy' ? 'deploy' : goal.name;
}
