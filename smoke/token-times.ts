import type { TextAnswer } from './protocol.ts';

/** When the tokens of a streamed answer came. */
export class TokenTimes {
  #first: number | undefined;
  #last = 0;

  /** A piece with at least one token, at so many milliseconds after the request. */
  came(milliseconds: number): void {
    this.#first ??= milliseconds;
    this.#last = milliseconds;
  }

  /**
   * Time to the first token, and tokens a second after it: the first one waits for the prompt to be read, which is another measure. Without
   * a count of tokens, or when all came at once, there is no rate.
   */
  figures(tokens: number | undefined): Pick<TextAnswer, 'timeToFirstTokenMs' | 'tokens' | 'tokensPerSecond'> {
    const first = this.#first;
    const seconds = first === undefined ? 0 : (this.#last - first) / 1000;
    return {
      ...(first === undefined ? {} : { timeToFirstTokenMs: first }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(tokens === undefined || tokens < 2 || seconds <= 0 ? {} : { tokensPerSecond: (tokens - 1) / seconds }),
    };
  }
}
