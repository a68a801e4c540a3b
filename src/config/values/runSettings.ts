/** All of a durant.conf that a run of one stage needs, its value resolvers run. */
import type { ConfDocument } from '../syntax/document.ts';
import type { ProcessSettings, Settings } from '../options/options.ts';
import { processNames } from '../syntax/sections.ts';
import { resolveProcess, resolveSettings, resolveVariable, type ValueIo } from './settings.ts';

/** One `[process NAME]`. */
export interface NamedProcess {
  readonly name: string;
  readonly settings: ProcessSettings;
}

export interface RunSettings {
  /** `version` is that of `[vars]` where the stage has none. */
  readonly settings: Settings;
  /** The processes that the stage runs, in the order of the file. */
  readonly processes: readonly NamedProcess[];
  /** Texts that no output may show. */
  readonly secrets: readonly string[];
}

/** @throws {DurantError} as `resolveSettings` and `resolveProcess`. */
export async function resolveForRun(doc: ConfDocument, stage: string, io: ValueIo): Promise<RunSettings> {
  const { settings, secrets } = await resolveSettings(doc, stage, io);
  const variable = settings.version === undefined ? await resolveVariable(doc, 'version', io) : undefined;
  const names = settings.processes.length > 0 ? settings.processes : processNames(doc);
  const processes: NamedProcess[] = [];
  const own: string[] = [...secrets, ...(variable?.secrets ?? [])];
  // With `inplace` there is no `current` to run processes in: those of other stages do not count.
  for (const name of settings.strategy === 'releases' ? new Set(names) : []) {
    const resolved = await resolveProcess(doc, name, io);
    processes.push({ name, settings: resolved.settings });
    own.push(...resolved.secrets);
  }
  return {
    settings: { ...settings, version: settings.version ?? variable?.value },
    processes,
    secrets: [...new Set(own)],
  };
}
