/** Numbers by name, as deep as it takes. */
export interface Figures {
  readonly [name: string]: number | Figures;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** What a number is held to, and whether it keeps it. */
export interface Bound {
  readonly text: string;
  readonly holds: boolean;
}

/** What a benchmark found. */
export interface Measurement {
  /** What `--json` prints. */
  readonly json: Figures;
  readonly tables: readonly Table[];
  readonly bounds: readonly Bound[];
}
