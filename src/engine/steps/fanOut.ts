/**
 * `fan_out`: one server of each role gets the tree from this machine, and each that has it hands it on to the next, so that n servers cost
 * the uplink of one. What arrives is checked on each by the manifest from here, so nobody trusts the server that it came from.
 */
import { asDurantError, DurantError, throwIfCancelled } from '../../errors.ts';
import { createForwardedAgent, type ForwardedAgent } from '../../remote/agent/forwardedAgent.ts';
import type { Login } from '../../remote/target.ts';
import { restoreScript } from '../../transfer/stream/updateScript.ts';
import { handOn, type NotHandedOn } from '../../transfer/stream/handOn.ts';
import type { Plan } from '../../transfer/tree/plan.ts';
import { guarded } from '../run/guard.ts';
import type { BuiltRun, GuardedConnection, NamedRun, Run, ServerRun } from '../run/run.ts';
import type { StepContext } from '../run/step.ts';
import { openRelay, type Relay } from './fanOutRelay.ts';
import { land, removeLanded, type Carry } from './fileTransport.ts';
import { resumable } from './release.ts';

/** What is smaller is here sooner than a server has logged in to another. */
const LEAST_BYTES = 1_000_000;

/** A server that the tree can be handed on to and by. */
interface Member {
  readonly server: ServerRun;
  readonly login: Login;
  readonly agent: ForwardedAgent;
  /** Opened when it first hands on. */
  connection: Promise<GuardedConnection> | undefined;
}

/** The servers of a run that hand on to each other. */
export interface FanOut {
  /** Undefined for a server that has to get everything from here. */
  placeOf(server: ServerRun): { readonly relay: Relay<Member>; readonly member: Member } | undefined;
}

/** Runs `work` with the run's servers ready to hand on; what that needed on them is gone afterwards. */
export async function withFanOut(run: BuiltRun, work: () => Promise<void>): Promise<void> {
  const members = await membersOf(run);
  const relays = new Map(
    [...new Set(members.map(({ server }) => groupOf(server)))].flatMap((name) => {
      const group = members.filter(({ server }) => groupOf(server) === name);
      const relay = openRelay(group);
      return group.map((member) => [member.server, { relay, member }] as const);
    }),
  );
  run.fanOut = { placeOf: (server) => relays.get(server) };
  try {
    await work();
  } finally {
    run.fanOut = undefined;
    for (const { connection } of members) connection?.then((open) => open.close()).catch(() => undefined);
  }
}

/** Where a server would get the tree from, for the dry run: the first of its role. Undefined: from this machine. */
export function firstOf(run: Run, server: ServerRun): string | undefined {
  if (run.settings.fan_out === 'no' || server.address.local) return undefined;
  const group = run.servers.filter((other) => !other.address.local && groupOf(other) === groupOf(server));
  return group[0] === server || isSmall(server.plan) ? undefined : group[0]?.address.entry;
}

/**
 * Sends by way of another server where that is to be: `send` is given what carries, undefined for the stream from here. Comes back when
 * all of the group have the tree, as what is handed on has to stay as it arrived.
 */
export async function sendOrReceive(
  context: StepContext<BuiltRun>,
  plan: Plan,
  send: (carry: Carry | undefined) => Promise<void>,
): Promise<void> {
  const { run, server, signal } = context;
  const place = run.fanOut?.placeOf(server);
  if (place === undefined) return send(undefined);
  const { relay, member } = place;
  if (isSmall(plan)) {
    relay.leave(member);
    return send(undefined);
  }
  try {
    for (let isDone = false; !isDone;) {
      const sender = await relay.turn(member, signal);
      const failed = sender && (await receive(context, { sender, member }, send));
      if (sender !== undefined) {
        if (failed !== undefined) tell(context, sender, failed);
        relay.ended(sender, failed === undefined ? 'worked' : failed.isSender ? 'out' : 'failed');
      }
      isDone = failed?.isSender !== true;
      if (isDone && (sender === undefined || failed !== undefined)) await send(undefined);
    }
    relay.has(member);
    await relay.finished(signal);
  } finally {
    relay.leave(member);
  }
}

/** @returns why it could not be had from there. @throws {DurantError} what is wrong with the receiver itself. */
async function receive(
  context: StepContext<BuiltRun>,
  { sender, member }: { readonly sender: Member; readonly member: Member },
  send: (carry: Carry) => Promise<void>,
): Promise<NotHandedOn | undefined> {
  const { run, server, signal } = context;
  let failed: NotHandedOn | undefined;
  const carry: Carry = async ({ entries, before }) => {
    const destination = await land(context, before);
    failed = await askToHandOn(run, { sender, member, signal }, (connection) =>
      handOn({
        connection,
        folder: `${sender.server.facts.project}/releases/${run.release}`,
        entries,
        to: member.login,
        destination,
        signal,
        timeoutMs: run.settings.command_timeout,
      }),
    ).catch(async (error: unknown) => {
      await removeLanded(context);
      throw error;
    });
    if (failed === undefined) return;
    await removeLanded(context);
    throw new DurantError('internal', failed.why, { cause: failed });
  };
  try {
    await send(carry);
    return undefined;
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (failed !== undefined && error.cause === failed) return failed;
    throwIfCancelled(signal);
    if (error.code !== 'verification-failed') throw error;
    await server.connection.exec({
      script: restoreScript(server.facts.project, run.id, run.release),
      signal,
    });
    return { why: 'what arrived was not what was sent', isSender: false };
  }
}

async function askToHandOn(
  run: BuiltRun,
  {
    sender,
    member,
    signal,
  }: { readonly sender: Member; readonly member: Member; readonly signal: AbortSignal },
  work: (connection: GuardedConnection) => Promise<NotHandedOn | undefined>,
): Promise<NotHandedOn | undefined> {
  const withdraw = sender.agent.permit(member.login);
  try {
    const failed = await work(await (sender.connection ??= connectWithAgent(run, sender)));
    const refusal = withdraw();
    if (failed === undefined || refusal === undefined) return failed;
    return { why: refusal, isSender: refusal.startsWith('its ssh ') };
  } catch (error) {
    throwIfCancelled(signal);
    return { why: asDurantError(error).summary, isSender: true };
  } finally {
    withdraw();
  }
}

async function connectWithAgent(run: BuiltRun, { server, agent }: Member): Promise<GuardedConnection> {
  return guarded(run, await run.reconnect(server.address, agent), () => server);
}

function tell({ run, server }: StepContext<NamedRun>, sender: Member, { why, isSender }: NotHandedOn): void {
  const from = sender.server.address.entry;
  const reason = why.replace(/[.\s]+$/, '');
  run.emit({
    event: 'warning',
    code: 'fan-out',
    message: isSender
      ? `${from} hands nothing on: ${reason}.`
      : `${server.address.entry} gets the release from this machine, as ${from} could not hand it on: ${reason}.`,
    server: isSender ? from : server.address.entry,
  });
}

/** The servers that need the tree and were logged in to by a key, in their order; what keeps the others out is said. */
async function membersOf(run: BuiltRun): Promise<readonly Member[]> {
  const wanting = run.servers.filter(
    (server) => !server.address.local && resumable(run, server) === undefined,
  );
  const logins = await Promise.all(
    wanting.map(async (server) => {
      const login = (await server.connection.login?.()) ?? { cannot: 'its connection cannot be repeated' };
      return { server, login };
    }),
  );
  const left = logins.flatMap(({ server, login }) =>
    'cannot' in login ? [{ name: server.address.entry, why: login.cannot }] : [],
  );
  for (const why of new Set(left.map((each) => each.why))) {
    const names = left.filter((each) => each.why === why).map(({ name }) => name);
    run.emit({
      event: 'warning',
      code: 'fan-out',
      message: `${names.join(', ')}: the release comes from this machine whatever fan_out says, as ${why}.`,
      server: null,
    });
  }
  return logins.flatMap(({ server, login }) =>
    'cannot' in login
      ? []
      : [{ server, login, agent: createForwardedAgent(login.hostKey), connection: undefined }],
  );
}

function groupOf({ address }: ServerRun): string {
  return address.roles[0] ?? '';
}

function isSmall(plan: Plan | undefined): boolean {
  return plan !== undefined && plan.sendBytes < LEAST_BYTES;
}
