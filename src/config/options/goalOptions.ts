/** Options of `[goal NAME]`: those of every goal, and those of each type. */
import type { OptionSpec, OptionTable } from './optionSpec.ts';

/** Options that every goal has. */
export const GOAL_OPTIONS = {
  type: {
    kind: 'text',
    form: 'goal-type',
    required: true,
    group: 'Goal',
    doc: 'What kind of goal it is: one of the types below, or the path of a module of the project that starts with `./`.',
    example: 'shell',
    since: '0.3.0',
    seed: 'released',
  },
  optional: {
    kind: 'bool',
    default: 'no',
    group: 'Goal',
    doc: 'Its failure is a warning, as with a trailing `?` in `pipeline`.',
    example: 'yes',
    since: '0.3.0',
    seed: 'released',
  },
  retries: {
    kind: 'number',
    min: 0,
    max: 1000,
    default: '0',
    group: 'Goal',
    doc: 'More tries after a failure that may pass: network errors, HTTP 429 and 5xx, exit status 75, an answer that lacks what `contains` names. Others fail at once.',
    example: '3',
    since: '0.3.0',
    seed: 'released',
  },
  retry_delay: {
    kind: 'duration',
    zero: true,
    default: '10s',
    group: 'Goal',
    doc: 'Time between two tries.',
    example: '30s',
    since: '0.3.0',
    seed: 'released',
  },
  timeout: {
    kind: 'duration',
    defaultDoc: 'none',
    group: 'Goal',
    doc: 'How long one try may take.',
    example: '5m',
    since: '0.3.0',
    seed: 'durant-0.3',
  },
  working_dir: {
    kind: 'text',
    form: 'path',
    defaultDoc: 'the clone at the deployed commit',
    group: 'Goal',
    doc: 'Folder of this machine that it works in.',
    example: '.',
    since: '0.3.0',
    seed: 'released',
  },
} as const satisfies OptionTable;

interface Brief {
  readonly doc: string;
  readonly example: string;
  readonly secret?: true;
}

const COMMON = { group: 'Goal', since: '0.3.0', seed: 'released' } as const;
const text = (brief: Brief) => ({ ...COMMON, kind: 'text', ...brief }) as const;
const needed = (brief: Brief) => ({ ...COMMON, kind: 'text', required: true, ...brief }) as const;
const commands = (brief: Brief) => ({ ...COMMON, kind: 'commands', ...brief }) as const;
const no = (doc: string) => ({ ...COMMON, kind: 'bool', default: 'no', example: 'yes', doc }) as const;
const yes = (doc: string) => ({ ...COMMON, kind: 'bool', default: 'yes', example: 'no', doc }) as const;

/** A type of goal: when it counts as achieved, and the options it has beside those of every goal. */
export interface GoalTypeSpec {
  readonly doc: string;
  readonly options: OptionTable;
}

const GEM_NAME = needed({ doc: 'Name of the gem.', example: 'shop' });
const GEM_VERSION = needed({ doc: 'Version of the gem.', example: '1.4.0' });
const GEM_ACCESS = {
  authorization: text({ doc: 'API key of the registry.', example: 'secret!rubygems', secret: true }),
  base_url: {
    ...COMMON,
    kind: 'text',
    form: 'url',
    default: 'https://rubygems.org',
    doc: 'Address of the registry.',
    example: 'https://rubygems.org',
  },
} as const;

/** The built-in goal types. */
export const GOAL_TYPES = {
  shell: {
    doc: 'Runs a command every time; not effectful (tests, linters).',
    options: {
      command: { ...COMMON, kind: 'commands', required: true, doc: 'Commands to run.', example: 'npm test' },
    },
  },
  command: {
    doc: 'Achieved when `achieved` exits 0.',
    options: {
      achieve: commands({ doc: 'Commands that achieve it.', example: './announce.sh' }),
      achieved: {
        ...COMMON,
        kind: 'commands',
        required: true,
        doc: 'Exits 0 where it is achieved; must not change anything.',
        example: './announced.sh',
      },
      assess: commands({
        doc: 'Exits 0 where it can be reached; must not change anything.',
        example: 'test -x ./announce.sh',
      }),
      reason: commands({ doc: 'Prints why it is not achieved.', example: 'echo not announced' }),
      effectful: yes('Whether it changes something; `no`: it is not looked at again after `achieve`.'),
    },
  },
  file_exists: {
    doc: 'Achieved when the file has these contents.',
    options: {
      filename: needed({ doc: 'The file.', example: 'build/VERSION' }),
      contents: text({ doc: 'What it contains; without this option anything will do.', example: '1.4.0' }),
    },
  },
  git_tag_exists: {
    doc: 'Achieved when the tag points there.',
    options: {
      name: needed({ doc: 'Name of the tag.', example: 'v1.4.0' }),
      ref: {
        ...COMMON,
        kind: 'text',
        defaultDoc: 'the deployed commit',
        doc: 'What it points at.',
        example: 'main',
      },
      message: text({ doc: 'Message of an annotated tag.', example: 'Version 1.4.0' }),
      annotated: no('Make an annotated tag.'),
      signed: no('Sign the tag.'),
    },
  },
  git_ref_pushed: {
    doc: 'Achieved when the remote has the same commit.',
    options: {
      remote: {
        ...COMMON,
        kind: 'text',
        form: 'name',
        default: 'origin',
        doc: 'The remote.',
        example: 'origin',
      },
      ref: needed({ doc: 'Branch or tag to push.', example: 'v1.4.0' }),
    },
  },
  github_release_exists: {
    doc: 'Achieved when the release exists as described.',
    options: {
      repository: needed({ doc: 'The repository: `owner/name`.', example: 'example/shop' }),
      tag: needed({ doc: 'Tag of the release.', example: 'v1.4.0' }),
      name: text({ doc: 'Title of the release.', example: 'Version 1.4.0' }),
      notes: text({ doc: 'Text of the release.', example: 'See CHANGELOG.md.' }),
      notes_file: text({ doc: 'File with the text; not with `notes`.', example: 'notes.md' }),
      draft: no('Leave it a draft.'),
      assets: { ...COMMON, kind: 'list', doc: 'Files to attach.', example: 'dist/shop.tar.gz' },
      token: text({ doc: 'Access token.', example: 'secret!github', secret: true }),
      api_url: {
        ...COMMON,
        kind: 'text',
        form: 'url',
        default: 'https://api.github.com',
        doc: 'Address of the API.',
        example: 'https://github.example.com/api/v3',
      },
    },
  },
  gem_built: {
    doc: 'Achieved when the gem file exists.',
    options: { name: GEM_NAME, version: GEM_VERSION, ...GEM_ACCESS },
  },
  gem_pushed: {
    doc: 'Achieved when the registry lists the version.',
    options: { name: GEM_NAME, version: GEM_VERSION, ...GEM_ACCESS },
  },
  npm_published: {
    doc: 'Achieved when the registry lists the version of package.json.',
    options: {
      directory: {
        ...COMMON,
        kind: 'text',
        default: '.',
        doc: 'Folder of the package.',
        example: 'packages/shop',
      },
      tag: { ...COMMON, kind: 'text', default: 'latest', doc: 'Distribution tag.', example: 'next' },
      registry: {
        ...COMMON,
        kind: 'text',
        form: 'url',
        default: 'https://registry.npmjs.org/',
        doc: 'Address of the registry.',
        example: 'https://npm.example.com/',
      },
      token: text({ doc: 'Access token.', example: 'secret!npm', secret: true }),
    },
  },
  http_ok: {
    doc: 'Achieved when the answer is as described.',
    options: {
      url: {
        ...COMMON,
        kind: 'text',
        form: 'url',
        required: true,
        doc: 'The URL to request.',
        example: 'https://example.com',
      },
      status: {
        ...COMMON,
        kind: 'number',
        min: 100,
        max: 599,
        defaultDoc: '200 to 399',
        doc: 'The status that the answer must have.',
        example: '204',
      },
      contains: text({ doc: 'Text that the answer must contain.', example: 'Welcome' }),
    },
  },
} as const satisfies Readonly<Record<string, GoalTypeSpec>>;

export type GoalType = keyof typeof GOAL_TYPES;

/** Whether `type` names a built-in goal type. */
export function isGoalType(type: string): type is GoalType {
  return Object.hasOwn(GOAL_TYPES, type);
}

/**
 * All options that a goal of this type has, those of every goal included. A module type (or none) may have any option: for it
 * only the common ones are returned.
 */
export function goalOptions(type: string | undefined): OptionTable {
  if (type === undefined || !isGoalType(type)) return GOAL_OPTIONS;
  const own: Readonly<Record<string, OptionSpec>> = GOAL_TYPES[type].options;
  return { ...GOAL_OPTIONS, ...own };
}
