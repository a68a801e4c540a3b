/** What `--help` teaches beside the list of options. */
import type { CommandName } from './invocation.ts';

export interface CommandHelp {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Below the options. */
  readonly text: string;
}

export const afterHelp = `
A first deploy:
  durant init                     write a durant.conf to fill in
  durant check                    look for mistakes in it, no network
  durant check --connect          look at the servers too, changing nothing
  durant -n deploy production     say what a deploy would do, changing nothing
  durant deploy production        do it
  durant rollback production      and take it back

Results go to standard output, progress and errors to standard error. With --json everything goes
to standard output, one object a line, and nothing is ever asked.

Exit status:
  0    done, or already so
  1    the run failed; what was live before is live
  2    the command line or durant.conf is wrong; nothing was contacted
  3    someone else holds the lock
  4    only with deploy -n --detailed-exitcode: changes are pending
  130  cancelled`;

export const commandHelp: Readonly<Record<CommandName, CommandHelp>> = {
  deploy: {
    summary: 'Make a commit live on every server of a stage.',
    text: `
All servers are prepared first, then all are switched; a failure before the switch leaves
everything as it was, a failure at the switch or after it switches every server back.
A commit that is live already with the same settings is left alone (--again: a new release).
Ctrl+C undoes what was begun and exits 130; a second Ctrl+C stops at once.

Examples:
  durant -n deploy production                 what would happen, and why
  durant deploy production
  durant deploy --ref v1.4.2 production       a tag, another branch or a commit
  durant deploy --server web2 production      one server, e.g. a new one
  durant deploy --wait=5m --yes production    in a script: wait for the lock, no question
  durant deploy --json production | tee run.jsonl

Exit status: 0 done or already live, 1 failed, 2 usage or configuration, 3 locked, 130 cancelled;
with -n --detailed-exitcode: 0 nothing to change, 4 changes pending.`,
  },
  rollback: {
    summary: 'Make an earlier release live again on every server of a stage.',
    text: `
Without RELEASE: the newest finished release, older than the live one, that every server has.
The release that was left is marked bad, so that no later rollback takes it by itself.

Examples:
  durant -n rollback production
  durant rollback production
  durant rollback production 20261121101500-ab12cd3     (durant releases production lists them)`,
  },
  releases: {
    summary: 'List the releases on each server of a stage, newest first.',
    text: `
Example:
  durant releases production`,
  },
  status: {
    summary: 'Say what is live on each server, and how far behind the branch.',
    text: `
Examples:
  durant status                 every stage
  durant status production`,
  },
  unlock: {
    summary: 'Remove the lock that a run left behind on the servers of a stage.',
    text: `
Shows who holds it and asks. Only remove the lock of a run that is certainly dead.

Example:
  durant unlock --force staging     without asking`,
  },
  adopt: {
    summary: 'Take over a project_dir that Deployer or Capistrano made.',
    text: `
Recognises releases/ and current, writes a record for the live release, touches nothing else.

Examples:
  durant adopt -n production     say what would be recorded
  durant adopt production`,
  },
  check: {
    summary: 'Look for mistakes in durant.conf; with --connect also on the servers.',
    text: `
Without --connect nothing is contacted and no command is run. With it, everything that a deploy
would look at before it begins is looked at on every server, and nothing is changed.

Examples:
  durant check
  durant check --connect production

Exit status: 2 if durant.conf has an error, 1 if the look at a server failed.`,
  },
  config: {
    summary: 'Show the effective options of a stage, and where each comes from.',
    text: `
Nothing is run or contacted: sh!, env!, secret! and the like are shown as they are written.

Examples:
  durant config production
  durant config --raw --json     the file as Python's configparser reads it`,
  },
  goals: {
    summary: 'Say of each goal of the pipeline whether it is achieved, and why not.',
    text: `
Every goal is assessed and looked at, nothing is changed.

Example:
  durant goals production

Exit status: 1 if a goal could not be looked at.`,
  },
  prune: {
    summary: 'Remove old releases from the servers of a stage.',
    text: `
By the rules of the cleanup after a deploy: the live release, the one a rollback would go to, and
the newest that all servers share always stay, and so does what Durant did not make.

Examples:
  durant prune -n production       what would be removed
  durant prune -k 2 production     keep two`,
  },
  ssh: {
    summary: 'Log in on a server of a stage, in the live release.',
    text: `
By the system's ssh, as the user, port and key of durant.conf. Without SERVER: the stage's first.

Examples:
  durant ssh production
  durant ssh production web2`,
  },
  app: {
    summary: 'See and steer the processes of a stage, or run a command in its live release.',
    text: `
ACTION is info, start, stop, restart or logs (of all processes, or of the one that is named), or
exec or shell: a command in the live release, with its environment, on the stage's first server.
exec takes the words as they are; shell has a shell read them, or without any leaves you in one.

Examples:
  durant app production info
  durant app production restart worker
  durant app production logs -f web
  durant app production exec -- ./manage.py createsuperuser
  durant app production shell -- 'du -sh * | sort -h'`,
  },
  templates: {
    summary: 'List the templates of units and proxy site, or write them into the project to change them.',
    text: `
A file of the same name in templates_dir (.durant/templates) is used instead of the built-in one;
<process>.service, .socket or .timer there is for one process alone. What is there already stays.

Examples:
  durant templates
  durant templates --export`,
  },
  completion: {
    summary: 'Print a script that completes commands, options and stages in bash, zsh or fish.',
    text: `
Examples:
  source <(durant completion bash)                                      in ~/.bashrc
  source <(durant completion zsh)                                       in ~/.zshrc, after compinit
  durant completion fish > ~/.config/fish/completions/durant.fish`,
  },
  stages: {
    summary: 'List the stages of durant.conf with their servers and branch.',
    text: '',
  },
  init: {
    summary: 'Write a durant.conf with comments to fill in, in the current folder.',
    text: `
A durant.conf that exists is never overwritten.`,
  },
};
