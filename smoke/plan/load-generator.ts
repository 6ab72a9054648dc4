import type { LoadShape } from '../load/index.ts';
import type { Answer } from '../protocol.ts';
import type { Clock } from './clock.ts';
import { asked } from './golden-answers.ts';

/** What came of it. */
export interface Load {
  /** Milliseconds of every request that was answered well. */
  readonly latenciesMs: readonly number[];
  readonly sent: number;
  /** Requests that were refused or lost, by what came back. */
  readonly failures: readonly { readonly said: string; readonly count: number }[];
}

/**
 * Load over a protocol's own client, for transports that are not plain HTTP (gRPC); HTTP goes through `smoke/load`. In open mode a request's
 * time counts from the moment it was due, so that a server that stalls is not spared what it kept waiting (coordinated omission).
 */
export async function loadCalls(
  send: (index: number) => Promise<Answer<unknown>>,
  shape: LoadShape,
  clock: Clock,
): Promise<Load> {
  const latenciesMs: number[] = [];
  const failures = new Map<string, number>();
  const start = clock.now();
  const over = () => clock.now() - start >= shape.durationMs;
  let sent = 0;
  const call = async (due?: number): Promise<void> => {
    const index = sent++;
    const { answer, lost } = await asked(() => send(index));
    if (answer !== undefined && answer.status < 400) {
      latenciesMs.push(due === undefined ? answer.milliseconds : clock.now() - due);
    } else {
      const said = answer === undefined ? (lost ?? 'no answer') : `${answer.status} ${answer.refusal ?? ''}`.trim();
      failures.set(said, (failures.get(said) ?? 0) + 1);
    }
  };
  if (shape.mode === 'closed') {
    const caller = async (): Promise<void> => {
      do await call();
      while (!over());
    };
    await Promise.all(Array.from({ length: shape.concurrency }, caller));
  } else {
    const open: Promise<void>[] = [];
    const total = Math.max(1, Math.floor((shape.rate * shape.durationMs) / 1000));
    for (let index = 0; index < total; index++) {
      const due = start + (index * 1000) / shape.rate;
      const wait = due - clock.now();
      if (wait > 0) await clock.sleep(wait);
      open.push(call(due));
    }
    await Promise.all(open);
  }
  return { latenciesMs, sent, failures: [...failures].map(([said, count]) => ({ said, count })) };
}
