/**
 * `node test/bench/fanOut.ts`: a first deploy to one server and to many, over one uplink that is limited for this machine alone, with and
 * without `fan_out`. All servers are sshds of this machine, so what they do is in the time, too. SERVERS, MEGABYTES, MBIT; DIRECT=yes also
 * measures many servers without `fan_out`.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { makeWorld } from '../e2e/world.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { throughProxy } from '../support/throughProxy.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const count = number('SERVERS', 20);
const megabytes = number('MEGABYTES', 100);
const bytesPerMs = (number('MBIT', 20) * 1e6) / 8 / 1000;
const fileCount = 100;

const tools = mkdtempSync(join(tmpdir(), 'durant-fanout-'));
const ports = new Map<number, number>();
let free = 0;

/** Everything that this machine sends waits in one line, whichever server it is for. */
function limited(): Transform {
  return new Transform({
    highWaterMark: 65_536,
    async transform(chunk: Buffer, _encoding, done) {
      free = Math.max(free, performance.now()) + chunk.length / bytesPerMs;
      await pause(Math.max(0, free - performance.now()));
      done(undefined, chunk);
    },
  });
}

async function behindUplink(server: TestServer): Promise<TestServer> {
  const proxy = createServer((socket) => {
    const other = connect(server.port, '127.0.0.1');
    for (const each of [socket, other]) each.on('error', () => undefined);
    socket.once('close', () => other.destroy());
    other.once('close', () => socket.destroy());
    socket.pipe(limited()).pipe(other).pipe(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  ports.set(port, server.port);
  return {
    ...throughProxy(server, { port }),
    stop: async () => {
      proxy.close();
      await server.stop();
    },
  };
}

const servers = await Promise.all(
  Array.from({ length: count }, async () =>
    behindUplink(await startSshd({ path: `${tools}:${process.env['PATH'] ?? ''}` })),
  ),
);
// Servers reach each other past the uplink.
const cases = [...ports].map(([seen, real]) => `${seen}) set -- "$@" -p ${real};;`).join(' ');
writeFileSync(
  join(tools, 'ssh'),
  `#!/bin/sh\nn=$#; while [ $n -gt 0 ]; do a=$1; shift; n=$((n-1))\nif [ "$a" = -p ]; then p=$1; shift; n=$((n-1)); case $p in ${cases} esac; else set -- "$@" "$a"; fi; done\nexec /usr/bin/ssh "$@"\n`,
  { mode: 0o755 },
);
const files = Object.fromEntries(
  Array.from({ length: fileCount }, (_, index) => [
    `dir${index % 10}/file${index}.bin`,
    randomBytes(Math.round((megabytes * 1e6) / fileCount)),
  ]),
);
const world = await makeWorld({ servers, commits: [{ message: 'one', files }] });
try {
  // The clone is there before anything is measured.
  world.configure([], [servers[0]?.entry ?? '']);
  await world.run(['deploy', '-n', '--build', 'production']);
  const one = await timed('one server', 1, 'no');
  const many = await timed(`${count} servers, fan_out`, count, 'yes');
  process.stdout.write(`${(many / one).toFixed(2)} times as long\n`);
  if (process.env['DIRECT'] === 'yes') await timed(`${count} servers from here`, count, 'no');
} finally {
  await world.remove();
  rmSync(tools, { recursive: true, force: true });
}

async function timed(what: string, servers_: number, fanOut: string): Promise<number> {
  for (const index of servers.keys()) rmSync(world.site(index), { recursive: true, force: true });
  world.configure(
    ['spare = no', `parallel = ${count}`, `fan_out = ${fanOut}`],
    servers.slice(0, servers_).map(({ entry }) => entry),
  );
  const began = performance.now();
  const result = await world.start(['--json', 'deploy', 'production']).result;
  const seconds = (performance.now() - began) / 1000;
  if (result.status !== 0) throw new Error(result.stdout + result.stderr);
  const warnings = result.events.flatMap(({ event, message }) =>
    event === 'warning' ? [String(message)] : [],
  );
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n${warnings.map((each) => `  ${each}\n`).join('')}`);
  return seconds;
}
