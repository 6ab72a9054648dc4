/**
 * How large a report may be. `assembleReport` cuts to these, and `parseReport` refuses what is beyond them, because what it
 * reads may come from a pull request of a stranger.
 */
export const reportLimits = {
  /** Bytes of the JSON text. */
  bytes: 32 * 1024 * 1024,
  checks: 20_000,
  figures: 500,
  /** Points of one curve, rows of one interval figure, classes of one confusion matrix. */
  points: 5_000,
  notices: 5_000,
  differences: 5_000,
  sources: 1_000,
  /** Characters of a title, a message, a name. */
  text: 4_000,
  /** Characters of one data value. */
  value: 500,
  failingRows: 100,
  failingColumns: 100,
} as const;
