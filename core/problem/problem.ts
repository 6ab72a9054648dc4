/** Where a problem is: a file of the user's, a line in it, a key or a column. Lines and columns count from 1. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** A policy key (`gates.accuracy.min`), a table column, a tensor name: whatever the user calls the spot. */
  readonly key?: string;
}

/**
 * One thing that is wrong, as data. Rendering is apart (`describeProblem`, the report's renderers), so the same problem
 * becomes a terminal line, an annotation or a table cell.
 */
export interface Problem {
  /** Stable, kebab-case: `unknown-key`, `missing-file`. Programs match on it. */
  readonly code: string;
  /** One clause that says what is wrong, without the place: `unknown key "accuraccy"`. */
  readonly message: string;
  readonly place?: Place;
  readonly found?: string;
  readonly expected?: string;
  /** What to do, as an imperative sentence. */
  readonly fix?: string;
}
