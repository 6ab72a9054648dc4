import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Checks `Authorization: Bearer TOKEN`. The digests are compared and not the tokens, in constant time, so that neither the content nor
 * the length of the token can be found out by measuring.
 */
export class BearerToken {
  readonly #digest: Buffer;

  /** @param token what clients must send; not empty. */
  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  allows(authorization: string | undefined): boolean {
    // RFC 9110: the scheme's name is case-insensitive.
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return timingSafeEqual(digestOf(given ?? ''), this.#digest) && given !== undefined;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'latin1').digest();
}
