/** Which values of a configuration no output may show, by the name that they stand under or by their look. */

/**
 * password, secret, token, key, credential, DSN; a key as a word of its own or at the end of one (API_KEY, apikey), so no KEYBOARD; a pass
 * (DB_PASS), so no COMPASS.
 */
const SECRET_NAME =
  /passw(?:or)?d|passphrase|(?<![a-z])pass(?![a-z])|secret|token|credential|authorization|dsn|keys?(?![a-z])/i;

/** Whether a variable or key of that name holds a secret. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The passwords of URLs in a text, as written and decoded; variables of a shell are none. */
export function urlPasswords(text: string): readonly string[] {
  return [...text.matchAll(/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#:@'"]*:([^\s/?#'"]+)@/gi)].flatMap(
    ([, password = '']) => (password.startsWith('$') ? [] : [password, decoded(password)]),
  );
}

/** An item of durant.conf as it may be shown: `***` for what is a secret by its name (`NAME=value`), in a URL, or as a PGP message. */
export function withoutSecrets(text: string): string {
  if (text.includes('-----BEGIN ')) return '***';
  const [, name = '', rest = ''] = /^([A-Za-z_]\w*)\s*=\s*(.*)$/s.exec(text) ?? [];
  if (name !== '' && namesSecret(name) && !/^(?:env|sh|var|secret)!/.test(rest)) return `${name}=***`;
  return urlPasswords(text).reduce(
    (said, password) => (password === '' ? said : said.replaceAll(password, '***')),
    text,
  );
}

/** A text as decodeURIComponent reads it; itself where that cannot. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
