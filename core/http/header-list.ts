import { InputError, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';

export type Headers = Readonly<Record<string, string>>;

/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110, section 5.5: visible characters, spaces and tabs; no line breaks, which would start another header. */
const valueText = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What the connection itself decides. */
const ofTheConnection = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Later lists win; names are compared and given without regard to case. */
export function mergeHeaders(...lists: readonly Headers[]): Headers {
  return Object.fromEntries(
    lists.flatMap((list) => Object.entries(list).map(([name, value]) => [name.toLowerCase(), value.trim()] as const)),
  );
}

/** Throws an InputError that names every header that cannot be sent; never shows a value. */
export function checkHeaders(headers: Headers): void {
  const [first, ...rest] = Object.entries(headers).flatMap(([name, value]) => headerProblems(name, value));
  if (first !== undefined) throw new InputError([first, ...rest]);
}

function headerProblems(name: string, value: string): readonly Problem[] {
  const shown = excerpt(name, 40);
  if (!token.test(name)) {
    return [
      {
        code: 'bad-header',
        message: `"${shown}" is no name of an HTTP header`,
        fix: 'Write headers as `name: value`; names have letters, digits and hyphens.',
      },
    ];
  }
  if (ofTheConnection.has(name.toLowerCase())) {
    return [
      { code: 'bad-header', message: `the header ${shown} belongs to the connection`, fix: 'Leave it out; it is set.' },
    ];
  }
  if (valueText.test(value.trim())) return [];
  const lineBreak = /[\r\n]/.test(value.trim());
  return [
    {
      code: 'bad-header',
      message: `the value of the header ${shown} has ${lineBreak ? 'a line break' : 'a character that HTTP does not allow'}`,
      fix: lineBreak
        ? 'Take the line break out; a secret often has one where it was pasted.'
        : 'Use ASCII, or percent-encode what is outside it.',
    },
  ];
}
