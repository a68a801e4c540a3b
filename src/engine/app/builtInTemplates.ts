/** The built-in templates of unit files and the proxy's site, and how they are filled. Pure. */
import { DurantError } from '../../errors.ts';

/**
 * Templates by file name. `{{name}}` stands for a value; a line whose value is empty is left out. A process may have one of its own:
 * `<process>.service` instead of `default.service`, and so on.
 */
export const BUILT_IN_TEMPLATES: Readonly<Record<string, string>> = {
  'default.service': `[Unit]
Description={{description}}
X-Durant-Project={{project}}
After=network.target
Requires={{socket}}
After={{socket}}

[Service]
Type={{type}}
User={{user}}
WorkingDirectory={{directory}}
EnvironmentFile={{environment_file}}
RuntimeDirectory={{runtime_directory}}
SyslogIdentifier={{identifier}}
ExecStart={{exec_start}}
ExecStartPost={{exec_start_post}}
Restart={{restart}}
RestartSec={{restart_delay}}
TimeoutStopSec={{stop_timeout}}
MemoryMax={{memory_limit}}

[Install]
WantedBy={{target}}
`,
  'default.socket': `[Unit]
Description={{description}}
X-Durant-Project={{project}}

[Socket]
ListenStream={{listen}}
RemoveOnStop={{remove_on_stop}}

[Install]
WantedBy=sockets.target
`,
  'default.timer': `[Unit]
Description={{description}}
X-Durant-Project={{project}}

[Timer]
{{timer}}

[Install]
WantedBy=timers.target
`,
  Caddyfile: `# X-Durant-Project={{project}}
{{domain_name}} {
{{statics}}
	handle {
		reverse_proxy {{upstream}}
	}
}
{{redirects}}
`,
};

/** Templates by file name: those of `templates_dir` over the built-in ones. */
export type Templates = Readonly<Record<string, string>>;

/**
 * Fills a template. The mark is put in where a template of the user's has none: what carries no mark could never be removed again.
 * @param own `<process>` whose own template comes first.
 * @throws {DurantError} `config-invalid` for a placeholder that has no meaning there.
 */
export function fillTemplate(
  templates: Templates,
  file: { readonly own: string; readonly fallback: string },
  values: Readonly<Record<string, string>>,
): string {
  const name = Object.hasOwn(templates, file.own) ? file.own : file.fallback;
  const lines = (templates[name] ?? '').split(/\r?\n/).flatMap((line) => {
    const keys = [...line.matchAll(/\{\{\s*([A-Za-z_]+)\s*\}\}/g)].map(([, key = '']) => key);
    for (const key of keys)
      if (!Object.hasOwn(values, key))
        throw new DurantError(
          'config-invalid',
          `The template ${name} uses {{${key}}}, which stands for nothing there.`,
          { remedy: `Use one of ${Object.keys(values).join(', ')}.` },
        );
    if (keys.length > 0 && keys.some((key) => values[key] === '')) return [];
    return [line.replace(/\{\{\s*([A-Za-z_]+)\s*\}\}/g, (_, key: string) => values[key] ?? '')];
  });
  return lines.join('\n');
}

/** Puts the mark in where it is missing: the first line, or the first of `[Unit]`. */
export function withMark(text: string, mark: string): string {
  const lines = text.split('\n');
  if (lines.includes(mark)) return text;
  const unit = lines.findIndex((line) => line.trim() === '[Unit]');
  if (mark.startsWith('#')) return `${mark}\n${text}`;
  if (unit < 0) return `[Unit]\n${mark}\n\n${text}`;
  return [...lines.slice(0, unit + 1), mark, ...lines.slice(unit + 1)].join('\n');
}
