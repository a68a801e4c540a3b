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
  /** It is of the release's own instance, which runs beside the one before it until the site leads to it. */
  readonly beside?: true;
}

export interface ServiceSet {
  readonly manager: 'system' | 'user';
  readonly units: readonly UnitFile[];
  readonly site: SiteFile | undefined;
  /** Where the site leads, as the proxy has it, and the process that answers there; undefined: none, or not known. */
  readonly upstream?: string;
  readonly serves?: string;
  /** The ports that its processes were given, by process. */
  readonly ports?: Readonly<Record<string, number>>;
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

/** What stands for a process's port in the texts of a set until one is chosen on the server. */
export function portToken(process: string): string {
  return `@@port:${process}@@`;
}

const PORT_TOKEN = /@@port:([A-Za-z0-9._-]+)@@/g;

/** The processes whose ports are to be chosen. */
export function wantPorts(set: ServiceSet): readonly string[] {
  const text = [...set.units.map((file) => file.text), set.site?.text ?? ''].join('\n');
  return [...new Set([...text.matchAll(PORT_TOKEN)].map(([, process = '']) => process))];
}

/** The set with its ports filled in. */
export function withPorts(set: ServiceSet, portOf: (process: string) => number | undefined): ServiceSet {
  const wanted = wantPorts(set);
  if (wanted.length === 0) return set;
  const fill = (text: string): string =>
    text.replaceAll(PORT_TOKEN, (token, process: string) => String(portOf(process) ?? token));
  const ports = wanted.flatMap((process): [string, number][] => {
    const port = portOf(process);
    return port === undefined ? [] : [[process, port]];
  });
  return {
    ...set,
    units: set.units.map((file) => ({ ...file, text: fill(file.text) })),
    site: set.site === undefined ? undefined : { ...set.site, text: fill(set.site.text) },
    ...(set.upstream === undefined ? {} : { upstream: fill(set.upstream) }),
    ports: Object.fromEntries(ports),
  };
}

/** What of it is the release's own instance: nothing where the release is published by a restart. */
export function instanceOf(set: ServiceSet): ServiceSet {
  return { ...set, units: set.units.filter(({ beside }) => beside === true), site: undefined };
}

export function hasInstance(set: ServiceSet): boolean {
  return set.units.some(({ beside }) => beside === true);
}

/** The unit files of the process that the site leads to. Of what an earlier version has recorded, that is `web`. */
export function servingFiles({ site, units, serves }: ServiceSet): readonly UnitFile[] {
  return site === undefined ? [] : units.filter(({ process }) => process === (serves ?? 'web'));
}

export function formatServiceSet(set: ServiceSet): string {
  return `${JSON.stringify(set)}\n`;
}

/** Reads what `formatServiceSet` wrote, with the ports that it was given; a text that is none of it is an empty set. */
export function parseServiceSet(text: string): ServiceSet {
  const set = parseUnfilled(text);
  return withPorts(set, (process) => set.ports?.[process]);
}

/** The same with what stands for the ports, as others may have to be chosen. */
export function parseUnfilled(text: string): ServiceSet {
  const none: ServiceSet = { manager: 'system', units: [], site: undefined };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return none;
  }
  if (!isRecord(found)) return none;
  const { manager, units, site, upstream, serves, ports } = found;
  return {
    manager: manager === 'user' ? 'user' : 'system',
    units: Array.isArray(units) ? units.flatMap(parseUnit) : [],
    site:
      isRecord(site) && typeof site['path'] === 'string' && typeof site['text'] === 'string'
        ? { path: site['path'], text: site['text'] }
        : undefined,
    ...(typeof upstream === 'string' ? { upstream } : {}),
    ...(typeof serves === 'string' ? { serves } : {}),
    ...(isRecord(ports) ? { ports: parsePorts(ports) } : {}),
  };
}

function parsePorts(ports: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(ports).flatMap(([process, port]) => (typeof port === 'number' ? [[process, port]] : [])),
  );
}

function parseUnit(value: unknown): readonly UnitFile[] {
  if (!isRecord(value)) return [];
  const { name, process, text, units, mayEnd, beside } = value;
  if (typeof name !== 'string' || typeof text !== 'string' || !Array.isArray(units)) return [];
  if (!/^[A-Za-z0-9:_.@-]+$/.test(name)) return [];
  return [
    {
      name,
      process: typeof process === 'string' ? process : '',
      text,
      units: units.filter((unit): unit is string => typeof unit === 'string'),
      mayEnd: mayEnd === true,
      ...(beside === true ? { beside } : {}),
    },
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
