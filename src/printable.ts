/** Text from servers, commits and file names, made harmless for terminals, dialogs and output channels. */

// Colours that programs print: dropped, they mean no harm and no information.
const colours = /\u001b\[[0-9;:]*m/g;
// C0 but tab, DEL, C1, line and paragraph separators, and what reorders text on screen.

const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One line that cannot move the cursor, set a title or hide text: control characters are spelt out, e.g. `\x1b`. */
export function printable(text: string): string {
  return text.replace(colours, '').replace(/\r$/, '').replace(unsafe, spellOut);
}

function spellOut(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** `printable` for text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n');
}
