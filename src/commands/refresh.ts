/** Refresh: asks the servers again, of one stage or of all that anything is known of, and lets the goals of the last run go. */
import { isStageArgument } from '../editor/ids.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';

export async function refresh(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  if (isStageArgument(argument)) {
    app.store.setGoals(argument, []);
    await loadStage(app, { file: argument.file, stage: argument.stage }, 'may ask');
    return;
  }
  await app.findConfigurations();
  for (const { stages } of app.store.configurations())
    for (const stage of stages) app.store.setGoals(stage, []);
  await refreshAll(app, 'may ask');
}

/** Stages that are asked about at once: their servers may be the same ones. */
const atOnce = 4;

/** Every stage of the workspace; where nobody may be asked, only those whose servers answered before. */
export async function refreshAll(app: App, ask: 'may ask' | 'silently'): Promise<void> {
  const stages = app.store.configurations().flatMap((configuration) => configuration.stages);
  const wanted =
    ask === 'may ask' ? stages : stages.filter((stage) => app.store.snapshot(stage)?.known !== undefined);
  const waiting = [...wanted];
  const next = async (): Promise<void> => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift())
      await loadStage(app, { file: stage.file, stage: stage.stage }, ask);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
