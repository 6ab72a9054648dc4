import { excerpt } from '../text/index.ts';
import type { HttpTarget } from './http-target.ts';

/** Headers that are no secrets: a message without their values would only be harder to read. */
const open = new Set(['accept', 'accept-encoding', 'content-type', 'host', 'user-agent']);

/** Shorter values would take ordinary words and numbers out of messages. */
const shortestSecret = 4;

/** Takes what a target keeps secret out of text that came from outside (a server may well repeat the token it refused). */
export type Hide = (text: string) => string;

/** Header values, their parts (`Bearer` and the token), the URL's user and password, and the values of its query. */
export function secretWords(target: Pick<HttpTarget, 'url' | 'headers'>): readonly string[] {
  const values = Object.entries(target.headers)
    .filter(([name]) => !open.has(name.toLowerCase()))
    .flatMap(([, value]) => [value, ...value.split(/[\s,;=]+/).filter((part) => part.length >= 8)]);
  const { password, searchParams } = target.url;
  const words = [...values, password, decoded(password), ...searchParams.values()]
    .filter((word) => word.length >= shortestSecret)
    .flatMap((word) => [word, encodeURIComponent(word)]);
  // The longest first: a secret that holds another one goes as a whole.
  return [...new Set(words)].toSorted((one, other) => other.length - one.length);
}

export function hiding(target: Pick<HttpTarget, 'url' | 'headers'>): Hide {
  const words = secretWords(target);
  return (text) => words.reduce((hidden, word) => hidden.replaceAll(word, '***'), text);
}

/** What a server said, on one line, cut, without secrets. */
export function said(text: string, hide: Hide, limit = 200): string {
  return excerpt(hide(text).trim(), limit);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
