/** What a release runs with: unit files and the proxy's site file, and how that is kept in its record. Pure. */

/** One unit file. */
export interface UnitFile {
  /** `shop.service`, `shop-worker@.service`. */
  readonly name: string;
  /** NAME of its `[process NAME]`. */
  readonly process: string;
  readonly text: string;
  /** Units of it that are enabled and started: instances of a template; none for what a timer starts. */
  readonly units: readonly string[];
  /** Whether a unit that ended well by itself counts as running. */
  readonly mayEnd: boolean;
}

export interface ServiceSet {
  readonly manager: 'system' | 'user';
  readonly units: readonly UnitFile[];
  readonly site: SiteFile | undefined;
}

/** The proxy's site file: absolute path on the server. */
export interface SiteFile {
  readonly path: string;
  readonly text: string;
}

/** What every file of a project carries: only files with exactly this line are ever changed or removed. */
export function markOf(project: string): string {
  return `X-Durant-Project=${project}`;
}

/** The project as a mark names it: a mark is compared as a whole line, so it has to stay one. */
export function markLine(project: string): string {
  return project.replaceAll(/[\r\n]+/g, ' ');
}

export function isEmpty(set: ServiceSet): boolean {
  return set.units.length === 0 && set.site === undefined;
}

export function formatServiceSet(set: ServiceSet): string {
  return `${JSON.stringify(set)}\n`;
}

/** Reads what `formatServiceSet` wrote; a text that is none of it is an empty set. */
export function parseServiceSet(text: string): ServiceSet {
  const none: ServiceSet = { manager: 'system', units: [], site: undefined };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return none;
  }
  if (!isRecord(found)) return none;
  const { manager, units, site } = found;
  return {
    manager: manager === 'user' ? 'user' : 'system',
    units: Array.isArray(units) ? units.flatMap(parseUnit) : [],
    site:
      isRecord(site) && typeof site['path'] === 'string' && typeof site['text'] === 'string'
        ? { path: site['path'], text: site['text'] }
        : undefined,
  };
}

function parseUnit(value: unknown): readonly UnitFile[] {
  if (!isRecord(value)) return [];
  const { name, process, text, units, mayEnd } = value;
  if (typeof name !== 'string' || typeof text !== 'string' || !Array.isArray(units)) return [];
  if (!/^[A-Za-z0-9:_.@-]+$/.test(name)) return [];
  return [
    {
      name,
      process: typeof process === 'string' ? process : '',
      text,
      units: units.filter((unit): unit is string => typeof unit === 'string'),
      mayEnd: mayEnd === true,
    },
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
