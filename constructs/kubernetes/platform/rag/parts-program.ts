/**
 * How a document becomes parts that are found for themselves, as a module without packages: paragraphs together while they fit, a longer one by its
 * sentences, a longer sentence by its characters. A part begins with the end of the one before, since what a question is about may
 * stand across both. The same text gives the same parts.
 */
export const partsProgram = String.raw`const sentences = /(?<=[.!?\u3002])\s+/u;

/** Where a text may be cut: never within a character. */
function cutAt(text, at) {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 ? at - 1 : at;
}

function slices(text, size) {
  const found = [];
  let rest = text;
  while (rest.length > size) {
    const end = Math.max(1, cutAt(rest, size));
    found.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return rest === '' ? found : [...found, rest];
}

/** The last characters, from where a word begins. */
function endOf(text, most) {
  if (most === 0) return '';
  if (text.length <= most) return text;
  const start = cutAt(text, text.length - most);
  const end = text.slice(start);
  const word = /\s/u.test(text.charAt(start - 1)) ? 0 : end.search(/\s/u);
  return word < 0 ? '' : end.slice(word).trim();
}

function piecesOf(text, size) {
  const found = [];
  for (const paragraph of text.split(/\n\s*\n/u)) {
    const whole = paragraph.trim();
    if (whole === '') continue;
    if (whole.length <= size) {
      found.push({ text: whole, before: '\n\n' });
      continue;
    }
    let before = '\n\n';
    for (const sentence of whole.split(sentences)) {
      for (const slice of slices(sentence, size)) {
        if (slice.trim() === '') continue;
        found.push({ text: slice, before });
        before = '';
      }
      before = ' ';
    }
  }
  return found;
}

export function partsOf(document, size, overlap) {
  const text = document.normalize('NFC').replace(/\r\n?/gu, '\n').replaceAll('\0', '');
  const parts = [];
  let part = '';
  for (const piece of piecesOf(text, size)) {
    if (part !== '' && part.length + piece.before.length + piece.text.length > size) {
      parts.push(part);
      const begin = endOf(part, overlap);
      part = begin !== '' && begin.length + piece.before.length + piece.text.length <= size ? begin : '';
    }
    part = part === '' ? piece.text : part + piece.before + piece.text;
  }
  if (part !== '') parts.push(part);
  return parts;
}
`;
