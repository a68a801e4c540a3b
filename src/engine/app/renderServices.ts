/** What a stage runs on a server: the units of its processes and its proxy's site. Pure. */
import { DurantError } from '../../errors.ts';
import { publishingOf } from './publishing.ts';
import { runsThere, unitsOf, type RenderRequest, type Running } from './renderUnits.ts';
import type { ServiceSet } from './serviceSet.ts';
import { siteOf } from './site.ts';

/** @throws {DurantError} `config-invalid` for what validation cannot see: templates, a proxy without a process to ask. */
export function renderServices(request: RenderRequest): ServiceSet {
  const publishing = publishingOf(request);
  if (publishing.how === 'restart' && request.settings.publish === 'beside')
    throw new DurantError('config-invalid', `publish: beside is not possible, as ${publishing.why}.`, {
      remedy: 'Change that, or write publish: restart.',
    });
  const site = siteOf(request, publishing.how === 'beside' ? 'beside' : 'restarted');
  const runningOf = (name: string): Running =>
    publishing.how === 'beside' && publishing.process.name === name ? 'beside' : 'restarted';
  return {
    manager: request.settings.systemd,
    units: request.processes
      .filter((process) => runsThere(process, request.address))
      .flatMap((process) => unitsOf(request, process, runningOf(process.name))),
    site: site?.file,
    ...(site === undefined ? {} : { upstream: site.upstream }),
    ...(site?.serves === undefined ? {} : { serves: site.serves }),
  };
}
