import { fetch, ProxyAgent } from 'undici';
import { proxyFor } from '../../core/native/index.ts';
import { InputError } from '../../core/problem/index.ts';

/** An address that a person gave, with the secret that may be in it. */
export interface NoticeTarget {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
}

const patienceMs = 10_000;

/**
 * Sends JSON to somebody who wants to know. Follows no redirect: what is in the address or the headers is meant for this host alone. Throws an
 * `Error` whose message has neither.
 */
export async function postJson({ url, headers = {} }: NoticeTarget, body: unknown): Promise<void> {
  const proxy = proxyFor(url, process.env);
  const dispatcher = proxy === undefined ? undefined : new ProxyAgent(String(proxy));
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'sluice', ...headers },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answered HTTP ${answer.status}`);
  } catch (error) {
    // The cause has the address, and with it the secret.
    const said = error instanceof Error && /^it answered/.test(error.message) ? error.message : 'it did not answer';
    throw new Error(said);
  } finally {
    await dispatcher?.close();
  }
}

/** An address for secrets: https, or http on this machine. Throws an `InputError` that does not show it. */
export function noticeUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const here = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && here)) return url;
  throw new InputError({
    code: 'bad-address',
    message: `the address of ${what} is not an https address`,
    fix: 'Write it with https:// before it; http is taken on this machine only.',
  });
}
