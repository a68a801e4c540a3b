/** What kind of section a name stands for. */
import type { ConfDocument, ConfSection } from './document.ts';
import type { Place } from '../options/options.ts';

export interface SectionPlace {
  readonly place: Place;
  /** The stage, or the NAME of `[goal NAME]` and `[process NAME]`. */
  readonly name: string;
}

const NAMED = /^(goal|process)\s+(\S.*)$/;

/** Reads a section's name. `[default]` is a stage: only this spelling of `[DEFAULT]` is inherited. */
export function placeOf(section: string): SectionPlace {
  if (section === 'DEFAULT') return { place: 'DEFAULT', name: section };
  if (section === 'vars') return { place: 'vars', name: section };
  const named = NAMED.exec(section);
  if (named?.[1] === 'goal') return { place: 'goal', name: named[2]?.trimEnd() ?? '' };
  if (named?.[1] === 'process') return { place: 'process', name: named[2]?.trimEnd() ?? '' };
  return { place: 'stage', name: section };
}

function namesAt(doc: Pick<ConfDocument, 'sections'>, place: Place): readonly string[] {
  // Looked at by their first letters: each of thousands of stages may ask for the goals.
  const isNamed = place === 'goal' || place === 'process';
  const names: string[] = [];
  for (const section of doc.sections.keys()) {
    if (isNamed && !section.startsWith(place)) continue;
    const found = placeOf(section);
    if (found.place === place) names.push(found.name);
  }
  return names;
}

/** Stages in the order of the file. */
export function stageNames(doc: Pick<ConfDocument, 'sections'>): readonly string[] {
  return namesAt(doc, 'stage');
}

/** Whether an item of `pipeline` is the built-in goal. */
export function isDeploy(item: string): boolean {
  return item.replace(/\?$/, '') === 'deploy';
}

/** NAMEs of the `[goal NAME]` sections, in the order of the file. */
export function goalNames(doc: Pick<ConfDocument, 'sections'>): readonly string[] {
  return namesAt(doc, 'goal');
}

/** NAMEs of the `[process NAME]` sections, in the order of the file. */
export function processNames(doc: Pick<ConfDocument, 'sections'>): readonly string[] {
  return namesAt(doc, 'process');
}

/** `[goal NAME]` or `[process NAME]`, however much blank space its header has. */
export function findNamed(
  doc: Pick<ConfDocument, 'sections'>,
  place: 'goal' | 'process',
  name: string,
): ConfSection | undefined {
  const exact = doc.sections.get(`${place} ${name}`);
  if (exact !== undefined) return exact;
  for (const [header, section] of doc.sections) {
    if (!header.startsWith(place) || !header.trimEnd().endsWith(name)) continue;
    const found = placeOf(header);
    if (found.place === place && found.name === name) return section;
  }
  return undefined;
}
