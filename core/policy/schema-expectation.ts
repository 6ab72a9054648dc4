import type { z } from 'zod';

export type Kind = 'number' | 'integer' | 'text' | 'list' | 'mapping' | 'boolean';

/** What the schema wants at a spot. */
export interface Expectation {
  readonly kinds: readonly Kind[];
  /** The fixed values allowed, where it is a choice. */
  readonly values: readonly (string | number)[];
  /** The schema's own words for it. */
  readonly words?: string;
  /** The largest number allowed, where that was the trouble. */
  readonly maximum?: number;
}

type Issue = z.core.$ZodIssue;

/** Reads what was wanted off a zod issue; a union's members are joined. */
export function expectationOf(issue: Issue): Expectation {
  const words = ownWords(issue.message);
  const said = words === undefined ? {} : { words };
  switch (issue.code) {
    case 'invalid_type':
      return { kinds: kindsOf(issue.expected), values: [], ...said };
    case 'invalid_value':
      return {
        kinds: [],
        values: issue.values.filter((value) => typeof value === 'string' || typeof value === 'number'),
        ...said,
      };
    case 'invalid_union': {
      const members = issue.errors
        .flat()
        .filter(({ path }) => path.length === 0)
        .map(expectationOf);
      return {
        kinds: [...new Set(members.flatMap(({ kinds }) => kinds))],
        values: members.flatMap(({ values }) => values),
        ...said,
      };
    }
    case 'too_small':
      return { kinds: [], values: [], words: words ?? smallest(issue) };
    case 'too_big':
      return { kinds: [], values: [], words: words ?? largest(issue), maximum: Number(issue.maximum) };
    case 'invalid_key':
      return { kinds: [], values: [], words: 'a name' };
    default:
      return { kinds: [], values: [], words: words ?? issue.message };
  }
}

/** The expectation as the end of a sentence: `a number`, `"error" or "warn"`. */
export function phraseOf({ kinds, values, words }: Expectation): string {
  if (words !== undefined) return words;
  return [...values.map((value) => JSON.stringify(value)), ...kinds.map((kind) => nouns[kind])].join(' or ');
}

const nouns: Readonly<Record<Kind, string>> = {
  number: 'a number',
  integer: 'a whole number',
  text: 'text',
  list: 'a list',
  mapping: 'a mapping ("key: value" lines)',
  boolean: 'true or false',
};

// zod's own messages begin so; anything else is an `error` text of the schema.
function ownWords(message: string): string | undefined {
  return /^(Invalid|Too small|Too big|Unrecognized)\b/.test(message) ? undefined : message;
}

function kindsOf(expected: string): readonly Kind[] {
  switch (expected) {
    case 'number':
      return ['number'];
    case 'int':
      return ['integer'];
    case 'string':
      return ['text'];
    case 'array':
      return ['list'];
    case 'object':
    case 'record':
      return ['mapping'];
    case 'boolean':
      return ['boolean'];
    default:
      return [];
  }
}

function smallest({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  if (origin === 'string') return minimum === 1 ? 'some text' : `at least ${minimum} characters`;
  if (origin === 'array') return `a list of at least ${minimum}`;
  return inclusive === true ? `at least ${minimum}` : `more than ${minimum}`;
}

function largest({ origin, maximum, inclusive }: z.core.$ZodIssueTooBig): string {
  if (origin === 'string') return `at most ${maximum} characters`;
  if (origin === 'array') return `a list of at most ${maximum}`;
  return inclusive === true ? `at most ${maximum}` : `less than ${maximum}`;
}
