/** What a stage runs on a server: the units of its processes and its proxy's site. Pure. */
import { runsThere, unitsOf, type RenderRequest } from './renderUnits.ts';
import type { ServiceSet } from './serviceSet.ts';
import { siteOf } from './site.ts';

/** @throws {DurantError} `config-invalid` for what validation cannot see: templates, a proxy without a process to ask. */
export function renderServices(request: RenderRequest): ServiceSet {
  return {
    manager: request.settings.systemd,
    units: request.processes
      .filter((process) => runsThere(process, request.address))
      .flatMap((process) => unitsOf(request, process)),
    site: siteOf(request),
  };
}
