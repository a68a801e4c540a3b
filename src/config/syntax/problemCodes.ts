/** The catalogue of what can be wrong in a durant.conf: each code with what it means and what to do. */
export type Severity = 'error' | 'warning';

interface CodeDoc {
  readonly severity: Severity;
  /** What it means. */
  readonly meaning: string;
  /** What to do. */
  readonly remedy: string;
}

/** Every problem code: those of the parser first, then those of validation. Codes are public and never change their meaning. */
export const PROBLEM_CODES = {
  'not-utf8': {
    severity: 'error',
    meaning: 'The file is not UTF-8 text; nothing else of it is judged.',
    remedy: 'Save it as UTF-8, with or without a byte order mark.',
  },
  'no-section': {
    severity: 'error',
    meaning: 'There is text before the first `[section]`.',
    remedy: 'Write a section header such as `[production]` above it.',
  },
  'no-delimiter': {
    severity: 'error',
    meaning: 'The line is neither a section, a comment, nor `key = value` or `key: value`.',
    remedy: 'Add `=` or `:`, or indent the line deeper than its key to continue the value above.',
  },
  'empty-key': {
    severity: 'error',
    meaning: 'There is no key before `=` or `:`.',
    remedy: 'Write the key, or indent the line deeper than its key to continue the value above.',
  },
  'unclosed-section': {
    severity: 'error',
    meaning: 'A line starts with `[` but has no `]`.',
    remedy: 'Close the section name with `]`.',
  },
  'empty-section': {
    severity: 'error',
    meaning: 'A section has no name.',
    remedy: 'Write a name between the brackets.',
  },
  'duplicate-key': {
    severity: 'error',
    meaning: 'The key is written twice in one section; the first counts.',
    remedy: 'Remove one of the two.',
  },
  'duplicate-section': {
    severity: 'error',
    meaning: 'The section is written twice; both are read as one.',
    remedy: 'Move its keys to the first one. Only `[DEFAULT]` may come again.',
  },
  'interpolation-unknown': {
    severity: 'error',
    meaning:
      '`%(name)s` names a key that neither the section nor `[DEFAULT]` has; the value stays as written.',
    remedy: 'Correct the name, add the key, or write `%%` for a plain percent sign.',
  },
  'interpolation-cycle': {
    severity: 'error',
    meaning: '`%(name)s` leads back to itself; the value stays as written.',
    remedy: 'Remove the circular reference.',
  },
  'interpolation-depth': {
    severity: 'error',
    meaning: '`%(name)s` is nested more than 10 deep; the value stays as written.',
    remedy: 'Use fewer levels.',
  },
  'interpolation-size': {
    severity: 'error',
    meaning: 'The value becomes longer than 1 MiB; it stays as written.',
    remedy: 'Refer to fewer or shorter values.',
  },
  'lone-percent': {
    severity: 'warning',
    meaning:
      'A `%` is followed by neither `%` nor `(name)s`. It is read as a plain percent sign; Durant 0.2 refused the file.',
    remedy: 'Write `%%`.',
  },
  'text-after-section': {
    severity: 'warning',
    meaning: 'Text after the last `]` of a section header is ignored.',
    remedy: 'Remove it, or put it on a line of its own.',
  },
  'section-like-key': {
    severity: 'warning',
    meaning: 'A line that starts with `[` is read as a key, because it has a delimiter and no `]`.',
    remedy: 'Close the section name with `]`, or rename the key.',
  },

  'no-repository': {
    severity: 'warning',
    meaning: '`repository` names a folder in which git finds no repository.',
    remedy: 'Correct the path, or make it a repository with `git init`.',
  },
  'sample-server': {
    severity: 'warning',
    meaning: '`server` is still that of the example.',
    remedy: 'Write the name of your server.',
  },
  'no-stage': {
    severity: 'warning',
    meaning: 'The file has no stage.',
    remedy: 'Add a section such as `[production]`.',
  },
  'unknown-key': {
    severity: 'error',
    meaning: 'Durant has no option of this name, and no `%(name)s` uses it.',
    remedy: 'Correct the name or remove the line. Keys of your own belong in `[vars]`.',
  },
  'misplaced-key': {
    severity: 'error',
    meaning: 'The option exists, but is not allowed in this section.',
    remedy: 'Move it to a section where it may stand.',
  },
  'missing-key': {
    severity: 'error',
    meaning: 'A required option is neither in the section nor in `[DEFAULT]`, or it is empty.',
    remedy: 'Add it.',
  },
  'wrong-value': {
    severity: 'error',
    meaning: 'The value is not of the kind that the option takes.',
    remedy: 'Write a value of that kind; the message names it.',
  },
  'wrong-strategy': {
    severity: 'error',
    meaning: 'The option does not work with the `strategy` of this stage.',
    remedy: 'Remove it, or change `strategy`.',
  },
  'conflicting-keys': {
    severity: 'error',
    meaning: 'Two options exclude each other.',
    remedy: 'Keep one of them.',
  },
  'duplicate-server': {
    severity: 'error',
    meaning: 'One server is listed twice in a stage.',
    remedy: 'Remove one of the two.',
  },
  'same-target': {
    severity: 'warning',
    meaning:
      'Two stages deploy to one `project_dir` of one server, so each replaces what the other put there.',
    remedy: 'Give one of them another `project_dir`.',
  },
  'unsafe-project-dir': {
    severity: 'error',
    meaning: '`project_dir` is `/`, `~`, has `..`, or is neither absolute nor starts with `~/`.',
    remedy: 'Name a folder of its own, such as `/var/www/shop`.',
  },
  'inplace-web-root': {
    severity: 'warning',
    meaning:
      'With `strategy: inplace`, `.durant` (lock, history, lists of files) lies in `project_dir`, which may be what a web server serves.',
    remedy:
      'Durant writes a `.htaccess` that denies it to visitors; make web servers other than Apache refuse `/.durant`.',
  },
  'unsafe-path': {
    severity: 'error',
    meaning: 'A path that must stay inside the release is absolute or leaves it.',
    remedy: 'Write it relative to the release, without `..`.',
  },
  'reserved-path': {
    severity: 'error',
    meaning:
      'A path of the release is in `.durant`, or `current_path` is in `.durant`, `releases` or `shared`, which Durant manages itself.',
    remedy: 'Use another path, or remove it.',
  },
  'nested-path': {
    severity: 'error',
    meaning: 'A shared path lies inside another shared path, or is listed twice.',
    remedy: 'Keep the outer one.',
  },
  'excluded-path': {
    severity: 'warning',
    meaning: '`exclude` hides a shared or writable path, so the release does not bring what lies there.',
    remedy: 'Remove the pattern, or the path.',
  },
  'identity-missing': {
    severity: 'error',
    meaning: 'The file of `ssh_identity` does not exist.',
    remedy: 'Correct the path.',
  },
  'identity-permissions': {
    severity: 'warning',
    meaning: 'The private key can be read by others; ssh refuses such keys.',
    remedy: 'Run `chmod 600` on it.',
  },
  'unknown-branch': {
    severity: 'warning',
    meaning: 'The local clone has no branch or tag of this name.',
    remedy: 'Correct the name, or push it first.',
  },
  'exclude-matches-nothing': {
    severity: 'warning',
    meaning: 'No tracked file matches the pattern.',
    remedy: 'Correct or remove it; keep it if it is meant for build output.',
  },
  'undefined-var': {
    severity: 'error',
    meaning: '`var!name` names a key that `[vars]` does not have.',
    remedy: 'Correct the name, or add the key to `[vars]`.',
  },
  'variable-cycle': {
    severity: 'error',
    meaning: 'A variable of `[vars]` leads back to itself through `var!`.',
    remedy: 'Remove the circular reference.',
  },
  'plain-secret': {
    severity: 'warning',
    meaning: 'The value looks like a secret in plain text.',
    remedy: 'Store it elsewhere and write `secret!name` or `env!NAME`.',
  },
  'hook-never-runs': {
    severity: 'warning',
    meaning: 'The hook belongs to a step that the stage does not have, so it never runs.',
    remedy: 'Set the option that the step is for, or remove the hook.',
  },
  'unknown-goal': {
    severity: 'error',
    meaning: '`pipeline` names a goal that has no `[goal NAME]` section.',
    remedy: 'Correct the name, or add the section. `deploy` is built in.',
  },
  'unknown-goal-type': {
    severity: 'error',
    meaning: 'There is no goal type of this name.',
    remedy: 'Use one of the types below, or the path of a module that starts with `./`.',
  },
  'reserved-goal': {
    severity: 'error',
    meaning: '`[goal deploy]` would hide the built-in goal `deploy`.',
    remedy: 'Choose another name.',
  },
  'unknown-role': {
    severity: 'error',
    meaning:
      '`release_role`, `install_roles`, `roles` of a process, or a command with `on ROLE!` names a role that no server has.',
    remedy: 'Correct the role, or give it to a server: `web1 [web]`.',
  },
  'unknown-process': {
    severity: 'error',
    meaning: '`processes` names a process that has no `[process NAME]` section.',
    remedy: 'Correct the name, or add the section.',
  },
  'duplicate-goal': {
    severity: 'error',
    meaning: '`pipeline` lists a goal twice.',
    remedy: 'Remove one of the two; give what has to happen twice two `[goal NAME]` sections.',
  },
  'optional-deploy': {
    severity: 'error',
    meaning: '`pipeline` has `deploy?`, but the goals after it need what the deploy makes live.',
    remedy: 'Remove the `?`.',
  },
  'duplicate-process': {
    severity: 'error',
    meaning: '`processes` lists a process twice.',
    remedy: 'Remove one of the two; `replicas` of its section starts several.',
  },
  'bad-section-name': {
    severity: 'error',
    meaning: 'The name of a `[goal NAME]` or `[process NAME]` has characters that are not allowed.',
    remedy: 'Use letters, digits, `.`, `_` and `-`.',
  },
} as const satisfies Readonly<Record<string, CodeDoc>>;

export type ProblemCode = keyof typeof PROBLEM_CODES;
