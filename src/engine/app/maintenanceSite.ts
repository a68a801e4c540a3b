/** The proxy's site while a stage is in maintenance: every visitor gets 503 and a page. Pure. */
import type { Settings } from '../../config/options/options.ts';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { applySite } from './applySite.ts';
import { DEFINE_OURS, NEW_FILES } from './unitFiles.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { markLine, markOf, type SiteFile } from './serviceSet.ts';

/** It is there while a server is in maintenance; whatever changes the services meanwhile leaves the site alone. */
export const MAINTENANCE_FLAG = '.durant/maintenance';

/** Bytes of a page: it travels and stands in a file of the proxy. */
export const MAX_PAGE = 65_536;

const PLAIN_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Back soon</title>
<h1>Back soon</h1>
<p>We are working on this site. Please try again in a few minutes.</p>
</html>
`;

/**
 * @param page text of the stage's own page; undefined: a plain one.
 * @throws {DurantError} `config-invalid` for a page that is too large.
 */
export function maintenanceSite(
  { path }: Pick<SiteFile, 'path'>,
  {
    project,
    settings,
    page,
  }: { readonly project: string; readonly settings: Settings; readonly page: string | undefined },
): SiteFile {
  const body = page ?? PLAIN_PAGE;
  if (Buffer.byteLength(body) > MAX_PAGE)
    throw new DurantError(
      'config-invalid',
      `maintenance_page has ${Buffer.byteLength(body)} bytes, more than ${MAX_PAGE}.`,
      { remedy: 'Make it smaller: what it links to is answered with the page, too.' },
    );
  return {
    path,
    text: `# ${markOf(markLine(project))}
${settings.domain_name.join(', ')} {
	header {
		Cache-Control no-store
		Content-Type "text/html; charset=utf-8"
		Retry-After 300
	}
	respond ${caddyText(body)} 503
}
`,
  };
}

/** Between backticks nothing has a meaning but they themselves, and the placeholders that are filled before a Caddyfile is read. */
function caddyText(text: string): string {
  return `\`${text.replaceAll('`', '&#96;').replaceAll('{$', '&#123;$')}\``;
}

/** sh text that puts a site in its place, whether or not the server is in maintenance, and then changes that; run in project_dir. */
export function maintenanceScript(request: {
  readonly site: SiteFile;
  readonly project: string;
  readonly proxyDir: string;
  readonly sudo: Sudo;
  readonly to: 'on' | 'off';
}): string {
  const { site, project, proxyDir, sudo, to } = request;
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
t=$PWD/${NEW_FILES}
rm -rf "$t" && mkdir -m 700 "$t" || exit 1
${to === 'on' ? `: > ${quote(MAINTENANCE_FLAG)} || exit 1` : ''}
in_maintenance() { return 1; }
${DEFINE_OURS}
${applySite({ set: { site }, project, proxyDir })}
rm -rf "$t"
${to === 'off' ? `rm -f ${quote(MAINTENANCE_FLAG)}` : ':'}`;
}
