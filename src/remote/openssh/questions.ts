/** What OpenSSH asks through SSH_ASKPASS, told apart by its hint and its text. Pure. */

/** A question of `ssh` or its agent. */
export type Question =
  | { readonly kind: 'host-key'; readonly keyType: string; readonly fingerprint: string }
  | { readonly kind: 'passphrase'; readonly path: string }
  | { readonly kind: 'password'; readonly user: string; readonly host: string }
  | { readonly kind: 'one-time-code' }
  /** Yes or no, answered by the helper's exit status. */
  | { readonly kind: 'confirm' }
  /** Nothing to answer: something is to be done elsewhere, such as touching a hardware key. */
  | { readonly kind: 'notice' };

/**
 * Tells what is asked. What is not recognised counts as a one-time code: hidden while it is typed and kept nowhere.
 * @param hint the environment variable SSH_ASKPASS_PROMPT, as readpass.c of OpenSSH sets it: `confirm`, `none` or nothing.
 */
export function classifyQuestion(text: string, hint: string): Question {
  if (hint === 'none') return { kind: 'notice' };
  if (hint === 'confirm') return { kind: 'confirm' };
  if (/continue connecting \(yes\/no/.test(text)) {
    const key = /^(\S+) key fingerprint is:? (\S+?)\.?\s*$/m.exec(text);
    return { kind: 'host-key', keyType: hostKeyType(key?.[1] ?? ''), fingerprint: key?.[2] ?? '' };
  }
  if (/\(yes\/no\)/.test(text)) return { kind: 'confirm' };
  const passphrase =
    /^(?:Enter passphrase for|Bad passphrase, try again for|Enter PIN for)(?: key)? '?(.*?)'?:\s*$/m.exec(
      text,
    );
  if (passphrase) return { kind: 'passphrase', path: passphrase[1] ?? '' };
  const password = /^(?:(.*)@)?(.*)'s password:\s*$/.exec(text);
  if (password) return { kind: 'password', user: password[1] ?? '', host: password[2] ?? '' };
  // Keyboard-interactive: since OpenSSH 8.7 with `(user@host) ` in front of the server's own words.
  const interactive = /^(?:\((.*?)@(.*?)\) )?(.*)$/s.exec(text);
  const words = interactive?.[3] ?? text;
  if (/password/i.test(words) && !/one.?time|otp|code|token|new password/i.test(words))
    return { kind: 'password', user: interactive?.[1] ?? '', host: interactive?.[2] ?? '' };
  return { kind: 'one-time-code' };
}

/** The name that the protocol and known_hosts have for a type that OpenSSH's messages call `ED25519`. */
function hostKeyType(shown: string): string {
  const names: Readonly<Record<string, string>> = {
    ED25519: 'ssh-ed25519',
    RSA: 'ssh-rsa',
    ECDSA: 'ecdsa-sha2-nistp256',
    DSA: 'ssh-dss',
    'ED25519-SK': 'sk-ssh-ed25519@openssh.com',
    'ECDSA-SK': 'sk-ecdsa-sha2-nistp256@openssh.com',
  };
  return names[shown] ?? shown;
}
