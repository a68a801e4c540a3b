/** What an agent may call: names, words for the model, and the shape of the input. Data alone; both front ends offer it. */

/** JSON Schema of an object, as much of it as the tools use. */
export interface InputSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, InputProperty>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

export interface InputProperty {
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface AgentTool {
  readonly name: AgentToolName;
  /** For people, in English. */
  readonly title: string;
  /** For the model: what it gives, when to call it, what it does not do. */
  readonly description: string;
  /** `acts`: it changes servers, and a person has to confirm it. */
  readonly effect: 'reads' | 'acts';
  readonly inputSchema: InputSchema;
}

export type AgentToolName =
  | 'durant_status'
  | 'durant_check'
  | 'durant_dry_run'
  | 'durant_log'
  | 'durant_explain_failure'
  | 'durant_deploy'
  | 'durant_rollback';

/** How many runs `durant_log` gives where nobody says. */
export const DEFAULT_RUNS = 20;
const MOST_RUNS = 200;

const stage: InputProperty = {
  type: 'string',
  description: 'Name of a stage, which is a section of durant.conf such as production.',
};
const plan: InputProperty = {
  type: 'string',
  description: 'The plan that durant_dry_run gave: its digest, 64 hexadecimal digits.',
};

export const AGENT_TOOLS: readonly AgentTool[] = [
  {
    name: 'durant_status',
    title: 'Deployment status',
    description:
      'Says what is live on each server of a stage: release, commit, branch, since when, how many commits behind its branch, who holds the lock, free space, processes. Connects to the servers over SSH and changes nothing. Without a stage: all of them.',
    effect: 'reads',
    inputSchema: { type: 'object', properties: { stage }, additionalProperties: false },
  },
  {
    name: 'durant_check',
    title: 'Check durant.conf',
    description:
      'Lists mistakes in durant.conf with line, code and message. Contacts nobody, unless connect is true: then every assessment that a deploy makes before it begins is made on every server, and nothing is changed. Call it after durant.conf was edited.',
    effect: 'reads',
    inputSchema: {
      type: 'object',
      properties: {
        stage,
        connect: { type: 'boolean', description: 'Also look at the servers. Default false.' },
      },
      additionalProperties: false,
    },
  },
  {
    name: 'durant_dry_run',
    title: 'Dry run of a deploy or rollback',
    description:
      'Says what a deploy or a rollback would do on each server: steps with reasons, files that would be added, changed or deleted, commands. Changes nothing on any server. Gives the plan, which durant_deploy or durant_rollback takes; show the person what it contains before you call those.',
    effect: 'reads',
    inputSchema: {
      type: 'object',
      properties: {
        stage,
        action: { type: 'string', enum: ['deploy', 'rollback'], description: 'Default deploy.' },
        ref: {
          type: 'string',
          description: "deploy: a branch, tag or commit instead of the stage's branch.",
        },
        build: {
          type: 'boolean',
          description:
            'deploy: run the commands of before_deploy on this machine, in a scratch folder. A stage that has such commands gets no plan without.',
        },
        release: {
          type: 'string',
          description:
            'rollback: name of the release to go to. Default: the newest older one that every server has.',
        },
      },
      required: ['stage'],
      additionalProperties: false,
    },
  },
  {
    name: 'durant_log',
    title: 'Runs of a stage',
    description:
      'Lists the runs of a stage, newest first, the failed ones too: who, when, from where, which commits, how it ended. Reads it from the servers and changes nothing.',
    effect: 'reads',
    inputSchema: {
      type: 'object',
      properties: {
        stage,
        limit: {
          type: 'integer',
          minimum: 1,
          maximum: MOST_RUNS,
          description: `How many runs, the newest. Default ${String(DEFAULT_RUNS)}.`,
        },
      },
      required: ['stage'],
      additionalProperties: false,
    },
  },
  {
    name: 'durant_explain_failure',
    title: 'Explain the last failure',
    description:
      'Says why the last failed run of a stage failed: code and sentence with its remedy, the step and server, the last lines of output where this session saw the run, and whether a later run was fine. Asks the servers for their history where this session saw no failure.',
    effect: 'reads',
    inputSchema: {
      type: 'object',
      properties: { stage },
      required: ['stage'],
      additionalProperties: false,
    },
  },
  {
    name: 'durant_deploy',
    title: 'Deploy what was reviewed',
    description:
      'Deploys exactly what a durant_dry_run of this session found, by its plan, on every server or on none. Where anything is otherwise by now it ends with plan-stale and changes nothing. A person confirms it.',
    effect: 'acts',
    inputSchema: { type: 'object', properties: { plan }, required: ['plan'], additionalProperties: false },
  },
  {
    name: 'durant_rollback',
    title: 'Roll back as reviewed',
    description:
      'Makes the release live again that a durant_dry_run with action rollback of this session named, by its plan. Where something else is live by now it ends with plan-stale and changes nothing. A person confirms it.',
    effect: 'acts',
    inputSchema: { type: 'object', properties: { plan }, required: ['plan'], additionalProperties: false },
  },
];

/** The tools of the editor, where several folders may have a durant.conf each. */
export function editorTools(): readonly AgentTool[] {
  const config: InputProperty = {
    type: 'string',
    description:
      'Path of the durant.conf below the workspace folder. Only needed where several have the stage.',
  };
  return AGENT_TOOLS.map((tool) =>
    tool.effect === 'acts'
      ? tool
      : {
          ...tool,
          inputSchema: { ...tool.inputSchema, properties: { ...tool.inputSchema.properties, config } },
        },
  );
}
