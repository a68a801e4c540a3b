/** Whether what a run leaves on a server outlives its connection: logind may end all processes of a user with the session. */
import type { ServerFacts } from './serverFacts.ts';

/** Whether logind ends what the login user leaves behind. */
export function endsWithSession({ logind, user }: Pick<ServerFacts, 'logind' | 'user'>): boolean {
  const names = (key: string): readonly string[] => (logind.get(key) ?? '').split(/\s+/).filter(Boolean);
  if (!/^(1|yes|true|on|y|t)$/i.test(logind.get('KillUserProcesses') ?? '')) return false;
  if ((logind.has('KillExcludeUsers') ? names('KillExcludeUsers') : ['root']).includes(user)) return false;
  const only = names('KillOnlyUsers');
  return only.length === 0 || only.includes(user);
}

/** Whether it has to be, and can be, in a scope of the user's own systemd, which is no part of the session. */
export function needsScope(facts: Pick<ServerFacts, 'logind' | 'user' | 'hasScopes'>): boolean {
  return facts.hasScopes && endsWithSession(facts);
}
