/** What one metric says at one look. Serialisable: a look can be replayed. */
export interface MetricEvidence {
  /** `errors`, `latency`, `predictions`, `agreement`, `reward/<name>`. */
  readonly metric: string;
  /** `harm`: shown, within the metric's share of the error budget. `harmless`: shown to be within tolerance. */
  readonly says: 'harm' | 'harmless' | 'unsettled' | 'no-data';
  /** Natural logarithm of the evidence for harm, and what it must reach. */
  readonly logEvidence: number;
  readonly threshold: number;
  /** Estimate and always-valid bounds of the effect in the metric's own words (`ratio`, `difference`). */
  readonly effect?: {
    readonly kind: 'ratio' | 'difference' | 'share';
    readonly estimate: number;
    readonly lower: number;
    readonly upper: number;
  };
  readonly canary: { readonly requests: number; readonly events: number };
  readonly baseline: { readonly requests: number; readonly events: number };
  /** One sentence for people. */
  readonly message: string;
}

export type AnalysisVerdict = 'advance' | 'hold' | 'rollback' | 'inconclusive';
