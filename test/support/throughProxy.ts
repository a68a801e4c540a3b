/** A test server as a client sees it through a proxy: same keys, another port. */
import type { Proxy } from './proxy.ts';
import type { TestServer } from './sshd.ts';

export function throughProxy(server: TestServer, proxy: Pick<Proxy, 'port'>): TestServer {
  return {
    ...server,
    port: proxy.port,
    entry: `${server.user}@${server.host}:${proxy.port}`,
    knownHostsLines: server.knownHostsLines.map((line) =>
      line.replace(`[${server.host}]:${server.port}`, `[${server.host}]:${proxy.port}`),
    ),
  };
}
