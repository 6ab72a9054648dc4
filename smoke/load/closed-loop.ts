import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionPool } from './connection-pool.ts';
import { nanoseconds } from './nanoseconds.ts';
import type { Tally } from './tally.ts';

/** Nanoseconds on the clock of `nanoseconds`: when counting begins and ends, and until when it may go on for the sake of `least`. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Requests to count, if they can be had before `latest`. */
  readonly least: number;
  readonly latest: number;
}

/**
 * Callers that send their next request when they have the answer to the last one. A request counts if it begins in the span; each caller
 * has at least one. Connecting is not part of a request's time, as in `wrk`.
 */
export async function closedLoop(
  pool: ConnectionPool,
  requests: readonly Buffer[],
  span: Span,
  concurrency: number,
  tally: Tally,
): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    let lostInRow = 0;
    let counted = 0;
    for (;;) {
      const now = nanoseconds();
      if (counted > 0 && now >= span.to && (tally.sent >= span.least || now >= span.latest)) return;
      const index = next++ % requests.length;
      const taken = await pool.take();
      const exchange =
        'lost' in taken
          ? { began: nanoseconds(), ended: nanoseconds(), answer: taken }
          : await taken.exchange(requests[index] ?? Buffer.alloc(0));
      if (!('lost' in taken)) pool.give(taken);
      if (exchange.began >= span.from) {
        tally.count(exchange, exchange.began, index);
        counted++;
      }
      // A server that is gone must not be called a hundred thousand times a second.
      lostInRow = 'lost' in exchange.answer ? lostInRow + 1 : 0;
      if (lostInRow > 0) await sleep(Math.min(1000, 5 * 2 ** Math.min(lostInRow, 8)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
}
