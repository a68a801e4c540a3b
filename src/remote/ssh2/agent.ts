/** Agents as ssh2 knows them: what is forwarded to a server, and how a login is told to whoever repeats it through one. */
import type { Duplex } from 'node:stream';
import ssh2, { type BaseAgent } from 'ssh2';
import type { ConnectRequest, Identity, Login } from '../target.ts';
import type { KeyCandidate } from './keys.ts';
import type { SshSession } from './sessionRequest.ts';

/** An agent for ssh2 that is only ever forwarded: logins do not come by it. */
export function agentOf(agent: NonNullable<ConnectRequest['agent']>): BaseAgent {
  return new (class extends ssh2.BaseAgent {
    override getIdentities(done: (error: Error) => void): void {
      done(new Error('This agent is for servers.'));
    }
    override sign(...parameters: unknown[]): void {
      const done: unknown = parameters.at(-1);
      if (typeof done === 'function') done(new Error('This agent is for servers.'));
    }
    override getStream(done: (error: undefined, stream: Duplex) => void): void {
      done(undefined, agent.open());
    }
  })();
}

export function loginOf({ settings, hostKey, key }: SshSession): Login | { readonly cannot: string } {
  if (key === undefined || hostKey === undefined)
    return { cannot: 'a key alone was not enough to log in there' };
  const { user, hostname, port } = settings;
  return { user, host: hostname, port, hostKey, identity: identityOf(key) };
}

export function identityOf(key: KeyCandidate): Identity {
  return {
    publicKey: key.publicKey.getPublicSSH(),
    sign: (data, hash) => key.sign(data, hash),
  };
}
