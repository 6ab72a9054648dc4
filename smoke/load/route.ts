import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import {
  checkUrl,
  type Hide,
  type HttpOptions,
  hiding,
  isLoopbackHost,
  lookupOutside,
  trusted,
} from '../../core/http/index.ts';
import { proxyFor } from '../../core/native/index.ts';
import type { Target } from '../target.ts';

/** How connections to a target are made. */
export interface Route {
  readonly url: URL;
  /** Takes the target's secrets out of a text. */
  readonly hide: Hide;
  /** Milliseconds for connecting, and for one answer. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly lookup: LookupFunction;
  /** Authorities to trust, in PEM; undefined: the system's. */
  readonly ca: readonly string[] | undefined;
  readonly proxy: URL | undefined;
}

/** The way `HttpClient` goes, with its refusals. Throws an InputError for a URL or certificate that cannot be used. */
export function routeTo(target: Target, { allowLinkLocal = false, environment }: HttpOptions): Route {
  const { url, timeoutMs, maxAnswerBytes, ca } = target;
  checkUrl(url, allowLinkLocal);
  const proxied = url.protocol === 'https:' && !isLoopbackHost(url.hostname);
  const proxy = proxied ? proxyFor(url, environment ?? process.env) : undefined;
  return {
    url,
    hide: hiding(target),
    timeoutMs,
    maxAnswerBytes,
    lookup: allowLinkLocal ? resolve : lookupOutside,
    ca: ca === undefined ? undefined : trusted(ca),
    proxy: proxy === undefined ? undefined : new URL(proxy),
  };
}
