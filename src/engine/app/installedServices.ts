/** Units and site of a release as they are installed on a server, compared with what the release was deployed with; nothing is changed. */
import { quote } from '../../remote/shell.ts';
import { DRAINING } from './drain.ts';
import { useManager } from './manager.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';

export interface ServiceDrift {
  /** `unit:shop.service` or `site`. */
  readonly path: string;
  readonly kind: 'changed' | 'added' | 'deleted';
}

/** sh text; prints what `parseInstalled` reads. */
export function installedScript(set: ServiceSet, project: string, proxyDir: string): string {
  const mark = quote(markOf(project));
  const { site } = set;
  const names = set.units.map(({ name }) => name).join(' ');
  const same = (text: string, file: string, what: string): string =>
    `if ! [ -e ${file} ]; then say deleted ${what}; elif ! printf %s ${quote(text)} | cmp -s - ${file}; then say changed ${what}; fi`;
  return `LC_ALL=C; export LC_ALL
${useManager(set.manager)}
say() { printf '%s %s\\n' "$1" "$2"; }
${set.units.map(({ name, text }) => same(text, `"$home/"${quote(name)}`, quote(`unit:${name}`))).join('\n')}
for f in "$home"/*.service "$home"/*.socket "$home"/*.timer; do
  [ -f "$f" ] && grep -qxF ${mark} "$f" || continue
  case ${quote(` ${names} `)} in *" \${f##*/} "*) continue;; esac
  # What drains has not been forgotten.
  cat ${quote(project)}/${DRAINING} ${quote(project)}/${DRAINING}.ending 2>/dev/null | grep -qxF "unit=\${f##*/}" || say added "unit:\${f##*/}"
done
${site === undefined ? '' : same(site.text, quote(site.path), 'site')}
for f in ${quote(proxyDir.replace(/\/+$/, ''))}/*.caddy; do
  [ -f "$f" ] && [ "$f" != ${quote(site?.path ?? '')} ] && grep -qxF "# "${mark} "$f" && say added site
done
:`;
}

export function parseInstalled(stdout: string): readonly ServiceDrift[] {
  const drifts = stdout.split('\n').flatMap((line): ServiceDrift[] => {
    const match = /^(changed|added|deleted) (site|unit:\S+)$/.exec(line);
    return match === null ? [] : [{ path: match[2] ?? '', kind: match[1] as ServiceDrift['kind'] }];
  });
  return drifts.filter(({ path }, index) => drifts.findIndex((each) => each.path === path) === index);
}
