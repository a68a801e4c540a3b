/** Who listens on a server, as its kernel tells: no tool is needed, and nobody is asked anything. sh text. Pure. */
import { quote } from '../../remote/shell.ts';

/** Defines `listening PORT`: exit status 0 where something does. */
export const DEFINE_LISTENING = `listening() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v "port=:$(printf %04X "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}`;

/**
 * Defines `answers`: exit status 0 where something listens at a site's upstream, or where that cannot be known from here. `listening` has to
 * be defined.
 */
export function defineAnswers(upstream: string | undefined): string {
  const port = /^(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)$/.exec(upstream ?? '')?.[1];
  if (port !== undefined) return `answers() { listening ${port}; }`;
  const path = upstream?.startsWith('unix/') === true ? upstream.slice('unix/'.length) : undefined;
  return `answers() { ${path === undefined ? ':' : `[ -S ${quote(path)} ]`}; }`;
}

/** Waits until `answers` says so, at most as long as told; the exit status is its last. */
export function awaitAnswers(seconds: number): string {
  return `left=${seconds * 5}; until answers || [ "$left" -le 0 ]; do left=$((left-1)); sleep 0.2; done; answers`;
}
