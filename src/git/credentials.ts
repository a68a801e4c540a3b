/** User and password of a repository's URL: git asks a helper for them, so that they are in no argument, no configuration and no file. */
import type { GitContext } from './gitProcess.ts';
import { withHiddenConfig } from './gitEnvironment.ts';
import type { Repository } from './repository.ts';

/** Answers for the user of the URL, or where git names none; what it says is in the environment of git's processes alone. */
const HELPER = `!f() { test "$1" = get || exit 0
while read -r line; do case $line in username=*) test "$line" = "username=$DURANT_GIT_USER" || exit 0;; esac; done
printf 'username=%s\\npassword=%s\\n' "$DURANT_GIT_USER" "$DURANT_GIT_PASSWORD"; }; f`;

/** The context with which git, its submodules of the same host and git-lfs log in as the URL said. */
export function withCredentials(context: GitContext, { credentials }: Repository): GitContext {
  if (credentials === undefined) return context;
  const { origin, user, password } = credentials;
  if (password === undefined)
    return { ...context, env: withHiddenConfig(context.env, [[`credential.${origin}.username`, user]]) };
  return {
    ...context,
    env: {
      // The first empties the list: what is written counts more than what the user's own helpers remember.
      ...withHiddenConfig(context.env, [
        [`credential.${origin}.helper`, ''],
        [`credential.${origin}.helper`, HELPER],
      ]),
      DURANT_GIT_USER: user,
      DURANT_GIT_PASSWORD: password,
    },
  };
}
