/**
 * rsync's wildcards on byte strings: `?` and `*` stop at a slash, `**` does not, `[…]` is a class with ranges, `!` or `^`, `[:alpha:]`
 * names and `\` escapes, `\x` is x. Simulated as an automaton, so that no pattern takes more than pattern × text steps.
 */

type Token =
  | { readonly kind: 'byte'; readonly byte: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'starstar' }
  | { readonly kind: 'class'; readonly members: ReadonlySet<number> }
  /** A malformed class: nothing matches from here on. */
  | { readonly kind: 'never' };

const slash = 0x2f;

const namedClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[A-Fa-f0-9]/,
};

/** A matcher of whole latin1 strings. */
export function compileWildcards(pattern: string): (text: string) => boolean {
  const tokens = tokenize(pattern);
  return (text) => run(tokens, text);
}

function run(tokens: readonly Token[], text: string): boolean {
  const last = tokens.length;
  let states = new Uint8Array(last + 1);
  let next = new Uint8Array(last + 1);
  enter(tokens, states, 0);
  for (let index = 0; index < text.length; index += 1) {
    const byte = text.charCodeAt(index);
    next.fill(0);
    let alive = false;
    for (let state = 0; state < last; state += 1) {
      const token = tokens[state];
      if (states[state] === 0 || token === undefined || !accepts(token, byte)) continue;
      enter(tokens, next, token.kind === 'star' || token.kind === 'starstar' ? state : state + 1);
      alive = true;
    }
    if (!alive) return false;
    [states, next] = [next, states];
  }
  return states[last] === 1;
}

/** Marks a state, and those after it that stars let it reach without a byte. */
function enter(tokens: readonly Token[], states: Uint8Array, from: number): void {
  for (let state = from; ; state += 1) {
    states[state] = 1;
    const kind = tokens[state]?.kind;
    if (kind !== 'star' && kind !== 'starstar') return;
  }
}

function accepts(token: Token, byte: number): boolean {
  switch (token.kind) {
    case 'byte':
      return byte === token.byte;
    case 'any':
    case 'star':
      return byte !== slash;
    case 'starstar':
      return true;
    case 'class':
      return token.members.has(byte);
    case 'never':
      return false;
  }
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const char = pattern.charAt(at);
    if (char === '*') {
      const start = at;
      while (pattern.charAt(at) === '*') at += 1;
      tokens.push({ kind: at - start > 1 ? 'starstar' : 'star' });
    } else if (char === '?') {
      tokens.push({ kind: 'any' });
      at += 1;
    } else if (char === '[') {
      const parsed = readClass(pattern, at + 1);
      if (parsed === undefined) return [...tokens, { kind: 'never' }];
      tokens.push({ kind: 'class', members: parsed.members });
      at = parsed.end;
    } else {
      if (char === '\\') at += 1;
      if (at >= pattern.length) return [...tokens, { kind: 'never' }];
      tokens.push({ kind: 'byte', byte: pattern.charCodeAt(at) });
      at += 1;
    }
  }
  return tokens;
}

/** Reads a class from behind its `[`; undefined where it is malformed. The first byte is a member even if it is `]`. */
function readClass(
  pattern: string,
  start: number,
): { readonly members: ReadonlySet<number>; readonly end: number } | undefined {
  const listed = new Set<number>();
  let at = start;
  const negated = pattern.charAt(at) === '!' || pattern.charAt(at) === '^';
  if (negated) at += 1;
  let previous: number | undefined;
  for (let first = true; first || pattern.charAt(at) !== ']'; first = false) {
    const char = pattern.charAt(at);
    if (char === '') return undefined;
    const following = pattern.charAt(at + 1);
    if (char === '-' && previous !== undefined && following !== '' && following !== ']') {
      at += following === '\\' ? 2 : 1;
      if (at >= pattern.length) return undefined;
      const high = pattern.charCodeAt(at);
      for (let byte = previous; byte <= high; byte += 1) listed.add(byte);
      previous = undefined;
      at += 1;
      continue;
    }
    if (char === '[' && following === ':') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) return undefined;
      if (end > at + 2 && pattern.charAt(end - 1) === ':') {
        const named = namedClasses[pattern.slice(at + 2, end - 1)];
        if (named === undefined) return undefined;
        for (let byte = 1; byte < 128; byte += 1) if (named.test(String.fromCharCode(byte))) listed.add(byte);
        previous = undefined;
        at = end + 1;
        continue;
      }
    }
    if (char === '\\') at += 1;
    if (at >= pattern.length) return undefined;
    previous = pattern.charCodeAt(at);
    listed.add(previous);
    at += 1;
  }
  const members = new Set<number>();
  for (let byte = 1; byte < 256; byte += 1)
    if (byte !== slash && listed.has(byte) !== negated) members.add(byte);
  return { members, end: at + 1 };
}
