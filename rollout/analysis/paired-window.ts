import { type ArmWindow, addWindows, noWindow } from './arm-window.ts';

/** What both arms did since the last pair. */
export interface PairedWindow {
  readonly canary: ArmWindow;
  readonly baseline: ArmWindow;
}

/** Counts of one arm that wait for the other's. */
export interface Pending extends PairedWindow {
  readonly since: number;
}

/** Milliseconds. Beyond it, counts of one arm are too old to be compared with the other's next ones. */
const patience = 120_000;

/**
 * Arms are compared window by window, and a window needs requests of both. Where scrapes are rarer than looks, the arms' counts come at
 * different looks: those of the one wait for those of the other, at most two minutes. How long a window gets depends on when there are
 * requests, never on how they ended, so that every bet still is one.
 */
export function paired(
  waiting: Pending | undefined,
  window: PairedWindow,
  now: number,
): { readonly complete?: PairedWindow; readonly waiting?: Pending } {
  const old = waiting !== undefined && now - waiting.since > patience;
  const before = waiting === undefined || old ? { canary: noWindow, baseline: noWindow } : waiting;
  const canary = addWindows(before.canary, window.canary);
  const baseline = addWindows(before.baseline, window.baseline);
  if (canary.requests > 0 && baseline.requests > 0) return { complete: { canary, baseline } };
  if (canary.requests === 0 && baseline.requests === 0) return {};
  const since = waiting === undefined || old ? now : waiting.since;
  return { waiting: { canary, baseline, since } };
}
