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
  /** Only while `free` is not 0. Calls `ended` once, later. */
  run(feeds: Feeds, names: readonly string[], ended: RunEnded): void;
  close(): Promise<void>;
}

/** Runs on this thread, one after the other. */
export function inlineRunner(session: Session): Runner {
  let busy = false;
  return {
    get free() {
      return busy ? 0 : 1;
    },
    keepsFeeds: false,
    onFree() {},
    run(feeds, names, ended) {
      busy = true;
      const start = performance.now();
      session.run(feeds, names).then(
        (outputs) => {
          busy = false;
          ended(undefined, outputs, (performance.now() - start) / 1000);
        },
        (cause: unknown) => {
          busy = false;
          ended({ message: runtimeMessage(cause), died: false }, undefined, (performance.now() - start) / 1000);
        },
      );
    },
    close: () => session.close(),
  };
}
