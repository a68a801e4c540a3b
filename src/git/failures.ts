/** Git's failures as sentences: its own last lines, no secrets, and what to do. */
import { DurantError } from '../errors.ts';
import type { GitFailure } from './gitProcess.ts';
import { withoutSecrets, type Repository } from './repository.ts';

/** The repository could not be fetched from. */
export function unreachable(failure: GitFailure, repository: Repository): DurantError {
  return new DurantError(
    'repository-unreachable',
    `${repository.shown} cannot be fetched. ${gitSaid(failure, repository)}`,
    {
      remedy: remedyFor(failure.message, repository),
      data:
        repository.origin !== undefined && wantsLogin(failure.message) ? { signIn: repository.origin } : {},
    },
  );
}

/** The commit could not be checked out. */
export function checkoutFailed(failure: GitFailure, repository: Repository, directory: string): DurantError {
  const remedy = isDiskFull(failure)
    ? `Free space on the disk that holds ${directory}.`
    : /submodule/i.test(failure.message)
      ? `Check that the submodules' URLs can be read from here, or set \`submodules = no\`. ${remedyFor(failure.message, repository)}`
      : `Check that ${directory} can be written; if it can, remove that folder and run again.`;
  return new DurantError(
    'checkout-failed',
    `The commit cannot be checked out in ${directory}. ${gitSaid(failure, repository)}`,
    { remedy },
  );
}

/** Whether whoever asked was not logged in, or not as somebody who may read it. */
function wantsLogin(said: string): boolean {
  return /terminal prompts disabled|could not read (Username|Password)|Authentication failed|HTTP Basic|\b40[13]\b/i.test(
    said,
  );
}

/** Whether the disk here is full; then nothing is to be made anew. */
export function isDiskFull(failure: GitFailure): boolean {
  return /No space left|Disk quota/i.test(failure.message);
}

/** Whether git complains of its own objects, so that a fresh copy would help. */
export function isDamage(failure: GitFailure): boolean {
  return /unable to read|object file|corrupt|bad object|missing (blob|tree|commit)|inflate|packfile|loose object|could(n't| not) parse|unable to (parse|find)|not a valid object|reference is not a tree|bad tree|invalid sha1|unable to unpack|bad signature|not a git repository|does not point to a valid object|Could not read [0-9a-f]{40}/i.test(
    failure.message,
  );
}

function gitSaid(failure: GitFailure, repository: Repository): string {
  const lines = failure.message
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(From |hint:| = \[|Submodule path |Cloning into)/.test(line));
  const last = lines.slice(-4).join('; ');
  return `git said: ${withoutSecrets(last, [repository])}${/[.!?]$/.test(last) ? '' : '.'}`;
}

function remedyFor(said: string, repository: Repository): string {
  if (/No space left|Disk quota/i.test(said)) return 'Free space on the disk that holds the cache folder.';
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION/i.test(said))
    return 'Connect once with ssh by hand and check the host key that it shows.';
  if (/dubious ownership/i.test(said))
    return 'If you trust that folder, add it with git config --global --add safe.directory FOLDER.';
  if (wantsLogin(said))
    return 'Store the credentials with a git credential helper, or use an ssh URL with a key.';
  if (/Permission denied|publickey|Too many authentication/i.test(said))
    return repository.local
      ? 'Make the folder readable for your user.'
      : 'Load a key that may read the repository into the ssh agent (ssh-add), or name it in the ssh config.';
  if (
    /resolve host|Name or service|timed out|refused|unreachable|No route|reset by peer|Network is/i.test(said)
  )
    return 'Check the network, and the host name in `repository`.';
  if (/not allowed|not supported|Unable to find remote helper/i.test(said))
    return 'Use an ssh or https URL, or a path, as `repository`.';
  if (/not appear to be a git repository|does not exist|not found|No such file|no such/i.test(said))
    return 'Correct `repository` in durant.conf.';
  return 'Check that git can fetch `repository` by hand.';
}
