/** The durant.conf that `durant init --all` writes: made from the option table, so that it never says what Durant does not do. */
import { HOOK_STEPS, OPTIONS, type OptionSpec, type OptionTable } from '../options/options.ts';

/** What `durant init` may know already. */
export interface SampleFacts {
  /** Path or URL of the project's repository; default: the project itself. */
  readonly repository?: string | undefined;
  readonly branch?: string | undefined;
}

/** Keys that stand in the file in plain; all others are comments to be uncommented. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  server: 'server.example.com',
  project_dir: '/var/www/project',
};

const WIDTH = 100;

/** The text of a new durant.conf. It is valid as it is. */
export function sampleConf(facts: SampleFacts = {}): string {
  const repository = plain(facts.repository) ?? '.';
  const branch = plain(facts.branch);
  const lines = [
    '# Durant deploys git projects to servers over SSH: durant deploy production',
    '# Try it without changing anything first:         durant -n deploy production',
    '# A line that is indented deeper than its key continues the value. There are no comments after values.',
    '',
    '# Keys of [DEFAULT] are inherited by every stage.',
    '[DEFAULT]',
    ...comment(OPTIONS.repository.doc),
    `repository: ${repository}`,
    ...(branch === undefined ? [] : ['', ...comment(OPTIONS.branch.doc), `branch: ${branch}`]),
    '',
    '# Every other section is a stage; add as many as there are, such as [staging].',
    '[production]',
    ...Object.entries(PLACEHOLDERS).flatMap(([key, value]) => [...comment(docOf(key)), `${key}: ${value}`]),
  ];
  let group = '';
  for (const [key, spec] of Object.entries<OptionSpec>(OPTIONS)) {
    if (key in PLACEHOLDERS || key === 'repository' || (key === 'branch' && branch !== undefined)) continue;
    if (isMiddleHook(key)) continue;
    if (spec.group !== group) {
      group = spec.group;
      lines.push('', `# --- ${group} ---`);
      if (group === 'Hooks')
        lines.push(
          ...comment(
            `before_<step> and after_<step> run commands around these steps: ${HOOK_STEPS.join(', ')}.`,
          ),
        );
    }
    lines.push('', ...comment(docOf(key)), ...example(key, spec));
  }
  return `${lines.join('\n')}\n`;
}

function docOf(key: string): string {
  const table: OptionTable = OPTIONS;
  const spec = table[key];
  if (spec === undefined) return '';
  const choices =
    spec.kind === 'enum'
      ? ` ${Object.entries(spec.values)
          .map(([name, meaning]) => `${name}: ${meaning}`)
          .join('; ')}.`
      : '';
  const fallback = spec.default ?? spec.defaultDoc;
  return `${spec.doc}${choices}${fallback === undefined ? '' : ` Default: ${fallback}.`}`;
}

/** One hook shows them all. */
function isMiddleHook(key: string): boolean {
  return HOOK_STEPS.some(
    (step) => key === `before_${step}` || (key === `after_${step}` && step !== 'symlink'),
  );
}

function example(key: string, spec: OptionSpec): readonly string[] {
  const values = spec.example.split('\n');
  return values.length === 1
    ? [`#${key}: ${spec.example}`]
    : [`#${key}:`, ...values.map((value) => `#    ${value}`)];
}

function comment(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.replaceAll('`', '').split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** A value that has to be written as one line, with its percent signs doubled. */
function plain(value: string | undefined): string | undefined {
  const line = value?.trim().replaceAll('%', '%%');
  return line === undefined || line === '' || /[\r\n]/.test(line) ? undefined : line;
}
