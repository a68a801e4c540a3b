/** What the process that keeps a connection is started with; apart from it, so that whoever starts it does not load it. */
import type { ConnectRequest } from '../target.ts';

/** On its standard input, as JSON. */
export interface HolderRequest {
  readonly socket: string;
  /** Milliseconds without a user after which it ends. */
  readonly keepMs: number;
  readonly request: Pick<
    ConnectRequest,
    'address' | 'user' | 'port' | 'identity' | 'client' | 'connectTimeoutMs' | 'sshPath'
  >;
}

/** The hidden subcommand of the command line that is a holder. */
export const holdConnectionCommand = '__hold-connection';
