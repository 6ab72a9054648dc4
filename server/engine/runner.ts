import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { runtimeMessage, type Session } from './session.ts';

/** Why a run gave nothing. `guilty` is false where the run may have failed for another reason than what it was given. */
export interface RunFailure {
  readonly message: string;
  /** The thread died: what ran on it is not tried again, for it may have been the reason. */
  readonly died: boolean;
}

export type RunEnded = (failure: RunFailure | undefined, outputs: Outputs | undefined, seconds: number) => void;

/** Where a model runs. */
export interface Runner {
  /** Runs that may be under way at once. */
  readonly capacity: number;
  /** Calls `ended` once, later. `feeds` are the caller's again then. */
  run(feeds: Feeds, names: readonly string[], ended: RunEnded): void;
  close(): Promise<void>;
}

/** Runs on this thread, one after the other. */
export function inlineRunner(session: Session): Runner {
  return {
    capacity: 1,
    run(feeds, names, ended) {
      const start = performance.now();
      session.run(feeds, names).then(
        (outputs) => ended(undefined, outputs, (performance.now() - start) / 1000),
        (cause: unknown) =>
          ended({ message: runtimeMessage(cause), died: false }, undefined, (performance.now() - start) / 1000),
      );
    },
    close: () => session.close(),
  };
}
