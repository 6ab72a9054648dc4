/** A message in protobuf's text format: each field with its values in the order they stand. */
export type TextMessage = ReadonlyMap<string, readonly TextValue[]>;
/** Numbers, booleans and enum words come as they are written; strings without their quotes. */
export type TextValue = string | TextMessage;

/** What keeps a text from being read as protobuf's text format; lines count from 1. */
export class TextFormatError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = 'TextFormatError';
    this.line = line;
  }
}

const deepest = 50;
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/**
 * Reads protobuf's text format without a schema (https://protobuf.dev/reference/protobuf/textformat-spec/), as Triton's `config.pbtxt` is
 * written in: fields with and without a colon, `{}` and `<>`, lists, comments, adjacent strings. Extension names are kept as they
 * stand. Throws a TextFormatError.
 */
export function readTextFormat(text: string): TextMessage {
  return new TextReader(text).message(undefined, 0);
}

class TextReader {
  readonly #tokens: readonly Token[];
  readonly #lastLine: number;
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
    this.#lastLine = text.split('\n').length;
  }

  message(end: '}' | '>' | undefined, depth: number): TextMessage {
    if (depth > deepest) throw this.#wrong(`messages are nested more than ${deepest} deep`);
    const fields = new Map<string, TextValue[]>();
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined) {
        if (end === undefined) return fields;
        throw this.#wrong(`a message has no closing ${end}`);
      }
      if (token.text === end && !token.quoted) {
        this.#next++;
        return fields;
      }
      const name = this.#name();
      const values = fields.get(name) ?? [];
      values.push(...this.#values(depth));
      fields.set(name, values);
      if (this.#is(',') || this.#is(';')) this.#next++;
    }
  }

  #name(): string {
    const token = this.#take('a field');
    if (token.text === '[' && !token.quoted) {
      let name = '';
      while (!this.#is(']')) name += this.#take('the end of an extension name').text;
      this.#next++;
      return `[${name}]`;
    }
    if (token.quoted || !/^[A-Za-z_]/.test(token.text)) throw this.#wrong(`${shown(token)} is no field name`, token);
    return token.text;
  }

  #values(depth: number): readonly TextValue[] {
    const colon = this.#is(':');
    if (colon) this.#next++;
    if (this.#is('[')) return this.#list(depth);
    if (!colon && !this.#is('{') && !this.#is('<')) throw this.#wrong('a field has neither a colon nor a message');
    return [this.#value(depth)];
  }

  #list(depth: number): readonly TextValue[] {
    this.#next++;
    const values: TextValue[] = [];
    while (!this.#is(']')) {
      values.push(this.#value(depth));
      if (this.#is(',')) this.#next++;
      else if (!this.#is(']')) throw this.#wrong('a list has no comma or ] after a value');
    }
    this.#next++;
    return values;
  }

  #value(depth: number): TextValue {
    const token = this.#take('a value');
    if (token.quoted) {
      let value = token.text;
      for (let more = this.#tokens[this.#next]; more?.quoted === true; more = this.#tokens[this.#next]) {
        value += more.text;
        this.#next++;
      }
      return value;
    }
    if (token.text === '{') return this.message('}', depth + 1);
    if (token.text === '<') return this.message('>', depth + 1);
    if (!/^[\w.+-]+$/.test(token.text)) throw this.#wrong(`${shown(token)} is no value`, token);
    return token.text;
  }

  #take(expected: string): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#wrong(`the text ends where ${expected} should be`);
    return token;
  }

  #is(text: string): boolean {
    const token = this.#tokens[this.#next];
    return token !== undefined && !token.quoted && token.text === text;
  }

  #wrong(message: string, token: Token | undefined = this.#tokens[this.#next]): TextFormatError {
    return new TextFormatError(message, token?.line ?? this.#lastLine);
  }
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

function shown({ text }: Token): string {
  return JSON.stringify(text.slice(0, 40));
}

const pieces =
  /(?<space>\s+|#[^\n]*)|(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<word>[\w.+-]+)|(?<sign>[{}<>[\]:,;/])|(?<other>[\s\S])/gy;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const { 0: piece, groups } of text.replace(/^\ufeff/, '').matchAll(pieces)) {
    if (groups?.['string'] !== undefined) tokens.push({ text: unescaped(piece.slice(1, -1)), quoted: true, line });
    else if (groups?.['word'] !== undefined || groups?.['sign'] !== undefined) {
      tokens.push({ text: piece, quoted: false, line });
    } else if (groups?.['other'] !== undefined) {
      const what =
        piece === '"' || piece === "'" ? 'a string has no end' : `${JSON.stringify(piece)} does not belong here`;
      throw new TextFormatError(what, line);
    }
    line += piece.split('\n').length - 1;
  }
  return tokens;
}

/** Names and settings are ASCII: escapes of bytes beyond it are read one by one and not put together to UTF-8. */
function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))/g,
    (_, hex?: string, octal?: string, sign = '') => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return escapes[sign] ?? sign;
    },
  );
}
