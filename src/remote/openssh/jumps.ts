/**
 * The way through jump hosts with durant.conf's checks of host keys. ssh gives options of its command line to no jump host of ProxyJump, so
 * the `ssh` that it would start there is written out as ProxyCommand. Pure.
 */
import { platform } from '../../platform.ts';
import { effectiveChecking } from '../hostKeySettings.ts';
import { lastJump } from '../route.ts';
import { quote } from '../shell.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';
import { option, quoteValue, strictness } from './arguments.ts';

/** The hosts on the way, as `readRoute` gives them, and what durant.conf asks of their keys. */
export interface Way {
  readonly route: readonly SshSettings[];
  readonly checking: ConnectRequest['hostKeyChecking'];
  readonly sshPath: string | undefined;
  /** Whether ssh tells on standard error what it does. */
  readonly log: 'verbose' | 'quiet';
  /** Where an accepted key goes instead of the user's known_hosts; undefined: there. */
  readonly knownHosts: string | undefined;
}

/** The options of `ssh` for a server; none where it has no jump host. On Windows none either: ssh there has another shell start the command. */
export function jumpArguments(way: Way): readonly string[] {
  const command = platform.sshUsesShell ? jumpCommand(way) : undefined;
  return command === undefined ? [] : option('ProxyCommand', command);
}

function jumpCommand({ route, ...rest }: Way): string | undefined {
  const [server, ...before] = route;
  const jump = server && lastJump(server);
  const [settings] = before;
  if (jump === undefined || settings === undefined) return undefined;
  const checking = effectiveChecking(rest.checking, settings);
  const isKept = rest.knownHosts === undefined || checking === 'strict';
  const files = isKept ? [] : [rest.knownHosts ?? '', ...settings.userKnownHostsFiles];
  const inner = jumpCommand({ route: before, ...rest });
  const words = [
    rest.sshPath ?? 'ssh',
    ...(rest.log === 'verbose' ? ['-v'] : []),
    ...option('StrictHostKeyChecking', strictness(checking)),
    ...(isKept
      ? []
      : [
          ...option('UserKnownHostsFile', files.map(quoteValue).join(' ')),
          ...option('UpdateHostKeys', 'no'),
        ]),
    ...(inner === undefined ? [] : option('ProxyCommand', inner)),
    ...(jump.host.user === undefined ? [] : ['-l', jump.host.user]),
    ...(jump.host.port === undefined ? [] : ['-p', String(jump.host.port)]),
  ];
  // ssh replaces %h and %p by the server's; a %% becomes a %.
  return `${[...words, '-W'].map((word) => quote(word).replaceAll('%', '%%')).join(' ')} '[%h]:%p' -- ${quote(jump.host.host).replaceAll('%', '%%')}`;
}
