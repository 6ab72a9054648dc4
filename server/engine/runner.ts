import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { runtimeMessage, type Session } from './session.ts';

/** Why a run gave nothing. */
export interface RunFailure {
  /** Printable. */
  readonly message: string;
  /** The thread died: what ran on it is not tried again, for it may have been the reason. */
  readonly died: boolean;
}

export type RunEnded = (failure: RunFailure | undefined, outputs: Outputs | undefined, seconds: number) => void;

/** Where a model runs. */
export interface Runner {
  /** Runs that can begin now. */
  readonly free: number;
  /** Feeds are given away with `run` and must be nobody else's. */
  readonly keepsFeeds: boolean;
  /** Called when `free` grew by something else than the end of a run. */
  onFree: () => void;
  /** Only while `free` is not 0. Calls `ended` once, now or later. */
  run(feeds: Feeds, names: readonly string[], ended: RunEnded): void;
  close(): Promise<void>;
}

/** Runs on this thread: when `run` returns, it has ended. */
export function inlineRunner(session: Session): Runner {
  return {
    free: 1,
    keepsFeeds: false,
    onFree() {},
    run(feeds, names, ended) {
      const start = performance.now();
      let outputs: Outputs | undefined;
      let failure: RunFailure | undefined;
      try {
        outputs = session.run(feeds, names);
      } catch (cause) {
        failure = { message: runtimeMessage(cause), died: false };
      }
      ended(failure, outputs, (performance.now() - start) / 1000);
    },
    close: () => session.close(),
  };
}
