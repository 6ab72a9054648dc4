import { openHttp } from '../core/http/index.ts';
import { InputError, PeerError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { Target } from './target.ts';

/** More than any digest, signature or version file holds. */
const mostBytes = 64 * 1024;

/**
 * What the server says at `address`, a path on its own host (or a whole URL of that host), as text. Throws an `InputError` for another host:
 * the address may come from a policy, and the target's tokens go along. Throws a `PeerError` when no 2xx comes.
 */
export async function textOnServer(target: Target, address: string): Promise<string> {
  const { origin } = target.url;
  const url = URL.canParse(address, origin) ? new URL(address, origin) : undefined;
  if (url === undefined || url.origin !== origin) {
    throw new InputError({
      code: 'other-host',
      message: `${excerpt(address)} is not on the server under test`,
      expected: `a path such as /models/churn.sha256 on ${origin}`,
      fix: 'Write the path alone: requests go nowhere but to the server that is tested.',
    });
  }
  const bare = new URL(origin);
  await using http = openHttp({ ...target, url: bare, maxAnswerBytes: mostBytes });
  const { status, body } = await http.request({ method: 'GET', path: url.pathname + url.search });
  if (status < 200 || status > 299) {
    throw new PeerError({
      code: 'no-text',
      message: `${origin} answers ${status} at ${excerpt(url.pathname)}`,
      expected: '200 and a text',
      fix: 'Check the path.',
    });
  }
  return new TextDecoder().decode(body);
}
