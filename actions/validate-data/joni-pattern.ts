import { PolicyError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** Characters by code point, from and to, both included. */
type Ranges = readonly (readonly [number, number])[];

/**
 * A pattern of RE2 (one that DuckDB took, so known to be one) as one of Joni, Trino's own engine, that matches the same whole texts. Joni
 * reads Java's syntax, in which much means something else: `[[:alpha:]]` and `\b` know all of Unicode, `[a&&b]` is an intersection, `$`
 * also matches before a last line break, `(?i)` ends at the next `|` and takes `ß` for `ss`. So nothing is left to it but characters,
 * sets of them, groups and repetitions.
 *
 * Throws a `PolicyError` for `\C`, a byte, which Joni has no word for.
 */
export function joniPattern(pattern: string): string {
  return `\\A(?:${new Translation(pattern).all()})\\z`;
}

interface Flags {
  /** The case of letters does not count. */
  readonly i: boolean;
  /** `^` and `$` are those of lines. */
  readonly m: boolean;
  /** The dot matches a line break too. */
  readonly s: boolean;
}

class Translation {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #flags: Flags = { i: false, m: false, s: false };
  readonly #outer: Flags[] = [];

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  all(): string {
    let written = '';
    while (this.#at < this.#characters.length) written += this.#part();
    return written;
  }

  #part(): string {
    const character = this.#take();
    switch (character) {
      case '(':
        return this.#group();
      case ')':
        this.#flags = this.#outer.pop() ?? this.#flags;
        return ')';
      case '[':
        return this.#set();
      case '\\':
        return this.#escaped();
      case '^':
        return this.#flags.m ? '(?:\\A|(?<=\\n))' : '\\A';
      case '$':
        return this.#flags.m ? '(?=\\n|\\z)' : '\\z';
      case '.':
        return this.#flags.s ? '(?:[^\\n]|\\n)' : '[^\\n]';
      case '|':
      case '*':
      case '+':
      case '?':
        return character;
      case '{': {
        const repetition = /^\d+(?:,\d*)?\}/.exec(this.#rest(24))?.[0];
        if (repetition === undefined) return '\\{';
        this.#at += repetition.length;
        return `{${repetition}`;
      }
      default:
        return this.#literal(codeOf(character));
    }
  }

  #group(): string {
    const rest = this.#rest(80);
    const named = /^\?P?<[^>]*>/.exec(rest)?.[0];
    const flags = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    this.#at += (named ?? flags?.[0] ?? '').length;
    if (flags !== null && flags[3] === ')') {
      this.#flags = withFlags(this.#flags, flags[1] ?? '', flags[2] ?? '');
      return '';
    }
    this.#outer.push(this.#flags);
    if (flags !== null) this.#flags = withFlags(this.#flags, flags[1] ?? '', flags[2] ?? '');
    return '(?:';
  }

  /** What a backslash outside a set means. */
  #escaped(): string {
    const character = this.#take();
    const ranges = perlSets[character];
    if (ranges !== undefined) return setOf(ranges);
    switch (character) {
      case 'A':
      case 'z':
        return `\\${character}`;
      case 'b':
        return `(?:${wordBegins}|${wordEnds})`;
      case 'B':
        return `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`;
      case 'Q': {
        const quoted = this.#quoted();
        return [...quoted].map((each) => this.#literal(codeOf(each))).join('');
      }
      case 'E':
        return '';
      case 'C':
        throw new PolicyError({
          code: 'pattern-of-bytes',
          message: `the pattern "${excerpt(this.#pattern, 60)}" holds \\C, a single byte, which the engine of its table cannot match`,
          fix: 'Write a dot, or check the column of a file.',
        });
      case 'p':
      case 'P':
        return this.#flags.i ? `(?i:${this.#property(character)})` : this.#property(character);
      default:
        return this.#literal(this.#character(character));
    }
  }

  /** A set in brackets, with every character in it named. */
  #set(): string {
    const negated = this.#peek() === '^';
    if (negated) this.#at++;
    const ranges: (readonly [number, number])[] = [];
    const properties: string[] = [];
    for (let first = true; this.#at < this.#characters.length; first = false) {
      const character = this.#take();
      if (character === ']' && !first) break;
      const posix = character === '[' ? /^:(\^?)(\w+):\]/.exec(this.#rest(16)) : null;
      if (posix !== null) {
        this.#at += posix[0].length;
        const known = posixSets[posix[2] ?? ''] ?? [];
        ranges.push(...(posix[1] === '^' ? complementOf(known) : known));
        continue;
      }
      if (character === '\\') {
        const escaped = this.#peek() ?? '';
        const perl = perlSets[escaped];
        if (perl !== undefined) {
          this.#at++;
          ranges.push(...perl);
          continue;
        }
        if (escaped === 'p' || escaped === 'P') {
          this.#at++;
          properties.push(this.#property(escaped));
          continue;
        }
      }
      const low = character === '\\' ? this.#character(this.#take()) : codeOf(character);
      let high = low;
      if (this.#peek() === '-' && this.#peek(1) !== ']' && this.#peek(1) !== undefined) {
        this.#at++;
        const end = this.#take();
        high = end === '\\' ? this.#character(this.#take()) : codeOf(end);
      }
      ranges.push([low, high]);
    }
    const folded = this.#flags.i ? foldedOf(ranges) : ranges;
    if (properties.length > 0) {
      const set = `[${negated ? '^' : ''}${properties.join('')}${folded.map(written).join('')}]`;
      return this.#flags.i ? `(?i:${set})` : set;
    }
    return setOf(negated ? complementOf(folded) : folded);
  }

  #literal(code: number): string {
    if (!this.#flags.i) return characterOf(code);
    const folded = foldedOf([[code, code]]);
    return folded.length === 1 && folded[0]?.[0] === folded[0]?.[1] ? characterOf(code) : setOf(folded);
  }

  /** The code point of an escape whose letter was taken. */
  #character(letter: string): number {
    const control = controls[letter];
    if (control !== undefined) return control;
    if (letter === 'x') {
      const digits = /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(this.#rest(12));
      this.#at += digits?.[0].length ?? 0;
      return Number.parseInt(digits?.[1] ?? digits?.[2] ?? '0', 16);
    }
    if (/[0-7]/.test(letter)) {
      const more = /^[0-7]{0,2}/.exec(this.#rest(2))?.[0] ?? '';
      this.#at += more.length;
      return Number.parseInt(letter + more, 8);
    }
    return codeOf(letter);
  }

  /** `\pL`, `\p{Greek}`, `\p{^Greek}`, whose p was taken. */
  #property(letter: string): string {
    const name = /^(?:\{(\^?)([^}]*)\}|(.))/u.exec(this.#rest(60));
    this.#at += [...(name?.[0] ?? '')].length;
    const positive = (letter === 'p') === (name?.[1] !== '^');
    const property = name?.[2] ?? name?.[3] ?? '';
    if (property === 'Any') return positive ? '\\x{0}-\\x{10FFFF}' : '';
    return `\\${positive ? 'p' : 'P'}{${property}}`;
  }

  #quoted(): string {
    const from = this.#at;
    while (this.#at < this.#characters.length && !(this.#peek() === '\\' && this.#peek(1) === 'E')) this.#at++;
    const quoted = this.#characters.slice(from, this.#at).join('');
    this.#at += 2;
    return quoted;
  }

  #take(): string {
    return this.#characters[this.#at++] ?? '';
  }

  #peek(further = 0): string | undefined {
    return this.#characters[this.#at + further];
  }

  #rest(length: number): string {
    return this.#characters.slice(this.#at, this.#at + length).join('');
  }
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const flag = (name: keyof Flags) => (flags[name] || on.includes(name)) && !off.includes(name);
  return { i: flag('i'), m: flag('m'), s: flag('s') };
}

const digits: Ranges = [[0x30, 0x39]];
const upper: Ranges = [[0x41, 0x5a]];
const lower: Ranges = [[0x61, 0x7a]];
const alpha: Ranges = [...upper, ...lower];
const wordCharacters: Ranges = [...digits, ...alpha, [0x5f, 0x5f]];
const perlSpace: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];

const perlSets: Readonly<Record<string, Ranges>> = {
  d: digits,
  w: wordCharacters,
  s: perlSpace,
  D: complementOf(digits),
  W: complementOf(wordCharacters),
  S: complementOf(perlSpace),
};

const posixSets: Readonly<Record<string, Ranges>> = {
  alnum: [...digits, ...alpha],
  alpha,
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: digits,
  graph: [[0x21, 0x7e]],
  lower,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper,
  word: wordCharacters,
  xdigit: [...digits, [0x41, 0x46], [0x61, 0x66]],
};

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

const word = '[0-9A-Za-z_]';
const wordBegins = `(?<!${word})(?=${word})`;
const wordEnds = `(?<=${word})(?!${word})`;

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function characterOf(code: number): string {
  // Letters and what lies beyond ASCII stand for themselves in Java's syntax; everything else does after a backslash.
  const character = String.fromCodePoint(code);
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x80 && !/[0-9A-Za-z]/.test(character) ? `\\${character}` : character;
}

function written([low, high]: readonly [number, number]): string {
  return low === high ? characterOf(low) : `${characterOf(low)}-${characterOf(high)}`;
}

/** A set as one of Joni's; an empty one matches nothing. */
function setOf(ranges: Ranges): string {
  return ranges.length === 0 ? '(?!)' : `[${ranges.map(written).join('')}]`;
}

/** Every other character. Surrogates are none. */
function complementOf(ranges: Ranges): Ranges {
  const taken = [...ranges, [0xd800, 0xdfff] as const].toSorted(([one], [other]) => one - other);
  const left: (readonly [number, number])[] = [];
  let next = 0;
  for (const [low, high] of taken) {
    if (low > next) left.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= 0x10ffff) left.push([next, 0x10ffff]);
  return left;
}

let orbits: readonly (readonly number[])[] | undefined;

/** With every letter that differs from one of the set in its case only, by Unicode's simple folding, as RE2 does it. */
function foldedOf(ranges: Ranges): Ranges {
  orbits ??= collectOrbits();
  const within = (code: number) => ranges.some(([low, high]) => low <= code && code <= high);
  const added = orbits.flatMap((orbit) => (orbit.some(within) ? orbit.filter((code) => !within(code)) : []));
  return [...ranges, ...added.map((code) => [code, code] as const)];
}

/** Letters that are one but for their case: K, k and the Kelvin sign. */
function collectOrbits(): readonly (readonly number[])[] {
  const byFold = new Map<string, number[]>();
  for (let code = 0x41; code <= 0x1ffff; code++) {
    // The dotless i is an i in capitals only.
    if (code === 0x131 || (code >= 0xd800 && code <= 0xdfff)) continue;
    const character = String.fromCodePoint(code);
    const upperCase = character.toUpperCase();
    if (upperCase === character && character.toLowerCase() === character) continue;
    const capital = single(upperCase) ?? character;
    const fold = single(capital.toLowerCase()) ?? capital;
    byFold.set(fold, [...(byFold.get(fold) ?? []), code]);
  }
  return [...byFold.values()].filter((codes) => codes.length > 1);
}

function single(text: string): string | undefined {
  return [...text].length === 1 ? text : undefined;
}
