/** The keys to try for a host: the agent's and those of files, in the order that spares attempts. */
import { readFile } from 'node:fs/promises';
import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2';
import { fingerprint } from '../knownHosts.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { Prompter } from '../target.ts';

// A CommonJS package of which Node sees only some names.
const { createAgent, utils } = ssh2;

/** A key whose public part is known. */
export interface KeyCandidate {
  /** For people: the file, or the agent's comment. */
  readonly description: string;
  readonly publicKey: ParsedKey;
  /**
   * Whether to sign without asking first whether the key would do, which saves a round trip. Not where signing may bother a person
   * (a passphrase, an agent that asks) for a key that was never meant for this host.
   */
  readonly signAtOnce: boolean;
  /** The signature, or undefined where it cannot be had (no passphrase given, the agent refused). */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer | undefined>;
}

/** Keys, and what people should know of those that are missing. */
export interface KeyRing {
  readonly candidates: readonly KeyCandidate[];
  /** Encrypted files in an old format that tell nothing without their passphrase; to be tried last. */
  readonly locked: readonly (() => Promise<KeyCandidate | undefined>)[];
  readonly remarks: readonly string[];
}

/** Opened private keys by path, so that a passphrase is asked for once, however many servers need it. */
export type OpenedKeys = Map<string, Promise<ParsedKey | undefined>>;

export interface KeyContext {
  readonly server: string;
  readonly prompt: Prompter;
  readonly signal: AbortSignal;
  readonly opened: OpenedKeys;
}

const agentTimeoutMs = 5_000;
const passphraseAttempts = 3;

/**
 * Reads the agent and the identity files. Order: keys that are both configured and in the agent, configured files, the agent's others
 * (a server counts each against MaxAuthTries), then the default files.
 */
export async function collectKeys(settings: SshSettings, context: KeyContext): Promise<KeyRing> {
  const [agent, files] = await Promise.all([
    readAgent(settings),
    Promise.all(settings.identityFiles.map((path) => readIdentity(path, context))),
  ]);
  const present = files.filter((file) => file !== undefined);
  const fileKeys = present.flatMap((file) => (file.kind === 'known' ? [file] : []));
  const inFiles = (key: ParsedKey): boolean => fileKeys.some((file) => sameKey(file.publicKey, key));
  const matched = agent.keys.filter((key) => inFiles(key.publicKey));
  const others = settings.identitiesOnly ? [] : agent.keys.filter((key) => !inFiles(key.publicKey));
  const fromFiles = fileKeys.flatMap((file) => (file.candidate === undefined ? [] : [file.candidate]));
  const ordered = settings.identityFilesChosen
    ? [...matched.map(meantForHost), ...fromFiles, ...others]
    : [...matched.map(meantForHost), ...others, ...fromFiles];
  const missing = settings.identityFilesChosen
    ? settings.identityFiles.filter((_, index) => files[index] === undefined)
    : [];
  return {
    candidates: ordered.filter(
      (key, index) => ordered.findIndex((other) => sameKey(other.publicKey, key.publicKey)) === index,
    ),
    locked: present.flatMap((file) => (file.kind === 'locked' ? [file.unlock] : [])),
    remarks: [
      ...agent.remarks,
      ...missing.map((path) => `identity file ${path} does not exist or is not a private key`),
    ],
  };
}

const meantForHost = (key: KeyCandidate): KeyCandidate => ({ ...key, signAtOnce: true });

function sameKey(a: ParsedKey, b: ParsedKey): boolean {
  return a.getPublicSSH().equals(b.getPublicSSH());
}

async function readAgent(
  settings: SshSettings,
): Promise<{ readonly keys: readonly KeyCandidate[]; readonly remarks: readonly string[] }> {
  if (settings.agent === undefined || settings.disabledMethods.includes('publickey'))
    return { keys: [], remarks: [] };
  try {
    const agent = createAgent(settings.agent);
    const identities = await agentIdentities(agent);
    return {
      keys: identities.map((publicKey) => ({
        description: `agent key ${publicKey.comment || fingerprint(publicKey.getPublicSSH())}`,
        publicKey,
        signAtOnce: identities.length === 1,
        sign: (data, hash) => agentSignature(agent, publicKey, data, hash),
      })),
      remarks: identities.length === 0 ? ['the agent holds no usable key'] : [],
    };
  } catch {
    return { keys: [], remarks: [`the agent at ${settings.agent} does not answer`] };
  }
}

function agentIdentities(agent: BaseAgent): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('The agent does not answer.'));
    }, agentTimeoutMs);
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve((keys ?? []).flatMap((key) => parsePublic(key)));
    });
  });
}

/** Key types that ssh2 does not know (hardware keys, certificates) are left out. */
function parsePublic(key: Parameters<typeof utils.parseKey>[0] | { readonly pubKey: unknown }): ParsedKey[] {
  const source = typeof key === 'object' && 'pubKey' in key ? key.pubKey : key;
  if (!isKeySource(source)) return [];
  const parsed = utils.parseKey(source);
  return parsed instanceof Error ? [] : [parsed];
}

function isKeySource(value: unknown): value is Parameters<typeof utils.parseKey>[0] {
  return typeof value === 'string' || typeof value === 'object';
}

function agentSignature(
  agent: BaseAgent,
  key: ParsedKey,
  data: Buffer,
  hash: string | undefined,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (error?: Error | null, signature?: Buffer): void => {
      resolve(error ? undefined : signature);
    };
    if (hash === 'sha256' || hash === 'sha512') agent.sign(key, data, { hash }, done);
    else agent.sign(key, data, {}, done);
  });
}

type Identity =
  | { readonly kind: 'known'; readonly publicKey: ParsedKey; readonly candidate: KeyCandidate | undefined }
  | { readonly kind: 'locked'; readonly unlock: () => Promise<KeyCandidate | undefined> };

async function readIdentity(path: string, context: KeyContext): Promise<Identity | undefined> {
  const [data, pub] = await Promise.all([readFile(path).catch(() => undefined), readPublic(`${path}.pub`)]);
  if (data === undefined) {
    // Only the public half is here: it says which of the agent's keys is meant.
    return pub === undefined ? undefined : { kind: 'known', publicKey: pub, candidate: undefined };
  }
  const parsed = utils.parseKey(data);
  if (!(parsed instanceof Error)) {
    const plain = parsed.isPrivateKey()
      ? fileCandidate(path, parsed, () => Promise.resolve(parsed))
      : undefined;
    return {
      kind: 'known',
      publicKey: parsed,
      candidate: plain === undefined ? undefined : { ...plain, signAtOnce: true },
    };
  }
  if (!/encrypted/i.test(parsed.message)) return undefined;
  const open = (): Promise<ParsedKey | undefined> => openKey(path, data, context);
  const publicKey = publicPart(data) ?? pub;
  if (publicKey !== undefined)
    return { kind: 'known', publicKey, candidate: fileCandidate(path, publicKey, open) };
  return {
    kind: 'locked',
    unlock: async () => {
      const key = await open();
      return key === undefined ? undefined : { ...fileCandidate(path, key, open), signAtOnce: true };
    },
  };
}

function fileCandidate(
  path: string,
  publicKey: ParsedKey,
  open: () => Promise<ParsedKey | undefined>,
): KeyCandidate {
  return {
    description: `key ${path}`,
    publicKey,
    signAtOnce: false,
    sign: async (data, hash) => {
      const key = await open();
      if (key === undefined) return undefined;
      const signature: Buffer | Error = key.sign(data, hash);
      return Buffer.isBuffer(signature) ? signature : undefined;
    },
  };
}

/** Asks for the passphrase, three times at most; several connections that need the same key wait for one answer. */
function openKey(path: string, data: Buffer, context: KeyContext): Promise<ParsedKey | undefined> {
  const known = context.opened.get(path);
  if (known !== undefined) return known;
  const opening = askPassphrase(path, data, context);
  context.opened.set(path, opening);
  // What nobody answered may be asked again by a later connection.
  opening.then(
    (key) => {
      if (key === undefined) context.opened.delete(path);
    },
    () => {
      context.opened.delete(path);
    },
  );
  return opening;
}

async function askPassphrase(
  path: string,
  data: Buffer,
  context: KeyContext,
): Promise<ParsedKey | undefined> {
  for (let attempt = 1; attempt <= passphraseAttempts; attempt += 1) {
    const passphrase = await context.prompt(
      {
        kind: 'passphrase',
        server: context.server,
        message: attempt === 1 ? `Passphrase for ${path}` : `Wrong passphrase. Passphrase for ${path}`,
        path,
        attempt,
      },
      context.signal,
    );
    if (passphrase === undefined) return undefined;
    const key = utils.parseKey(data, passphrase);
    if (!(key instanceof Error)) return key;
  }
  return undefined;
}

async function readPublic(path: string): Promise<ParsedKey | undefined> {
  const data = await readFile(path).catch(() => undefined);
  if (data === undefined) return undefined;
  const parsed = utils.parseKey(data);
  return parsed instanceof Error ? undefined : parsed;
}

/** The public half that OpenSSH's format keeps in clear (PROTOCOL.key). */
function publicPart(data: Buffer): ParsedKey | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(data.toString('latin1'))?.[1];
  if (body === undefined) return undefined;
  const blob = Buffer.from(body, 'base64');
  let at = 'openssh-key-v1\0'.length;
  const field = (): Buffer => {
    const length = blob.readUInt32BE(at);
    at += 4 + length;
    return blob.subarray(at - length, at);
  };
  try {
    for (let skipped = 0; skipped < 3; skipped += 1) field();
    at += 4;
    const parsed = utils.parseKey(field());
    return parsed instanceof Error ? undefined : parsed;
  } catch {
    return undefined; // Cut short: not a key.
  }
}
