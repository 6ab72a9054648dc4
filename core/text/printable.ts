// C0 and C1 controls (terminal escapes, and the line breaks that start a workflow command), bidirectional overrides, zero-width
// and other invisible format characters, fillers that look like nothing, halves of surrogate pairs, line and paragraph separators: none of them is ever data a reader needs to see raw.
const invisible =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e01ef}]|\u034f|\u17b4|\u17b5|\u180b|\u180c|\u180d|\u180f|\p{Cs}/gu;

/** Text from a data file, model or policy made safe to show on one line: every invisible character becomes `\u{hex}`. */
export function printable(text: string): string {
  return text.replace(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `printable`, cut to `limit` characters (an ellipsis marks the cut). The default is the widest cell a report shows. */
export function excerpt(text: string, limit = 80): string {
  const characters = Array.from(printable(text));
  return characters.length <= limit ? characters.join('') : `${characters.slice(0, limit - 1).join('')}…`;
}
