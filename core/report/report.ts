import type { Place } from '../problem/index.ts';
import type { Check } from './check.ts';
import type { ColumnProfile } from './column-profile.ts';
import type { Figure } from './figure.ts';

/** `error`: something could not be judged, so nothing is known. Exit codes: passed 0, error 1, failed 100. */
export type Verdict = 'passed' | 'failed' | 'error';

/** What a model file is, without running it. */
export interface ModelSummary {
  /** As the policy writes it. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly parameters?: number;
  readonly opset?: number;
  readonly operators?: number;
  /** Multiply-accumulates of one row, and visits of tree nodes; absent where the file does not settle it. */
  readonly operations?: number;
  /** What the initializers are made of, the largest first. */
  readonly weights?: readonly { readonly type: string; readonly bytes: number }[];
  readonly producer?: string;
}

/** One difference between the base branch's policy and the pull request's, and what was made of it. */
export interface PolicyDifference {
  /** `gates.accuracy.min` */
  readonly key: string;
  /** YAML of the value, one line; absent where the key is. */
  readonly base?: string;
  readonly head?: string;
  /** Which side's value this run is judged by. `both`: the two demands stand side by side. */
  readonly effective: 'base' | 'head' | 'both';
  readonly place?: Place;
}

/** Something a reader must know that is not a check: no base policy, an expired waiver, a missing permission. */
export interface Notice {
  readonly level: 'notice' | 'warning';
  readonly message: string;
  readonly place?: Place;
}

/** Everything one run found. Deterministic for the same inputs, measured times apart: no clock, no random id, no machine path. */
export interface Report {
  /** Version of this JSON's shape. */
  readonly schema: 1;
  readonly tool: { readonly name: 'sluice'; readonly version: string };
  /** The policy's `name`, or the folder the policy is in: what tells two reports on one pull request apart. */
  readonly name: string;
  readonly verdict: Verdict;
  /** One sentence: `2 of 31 checks failed: accuracy ≥ 0.90: 0.871 (upper bound 0.879)`. */
  readonly headline: string;
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
  readonly policy: {
    readonly file: string;
    /** Which policies were read: the pull request's and its base's, or one only. */
    readonly origin: 'base-and-head' | 'head-only';
    readonly evidence: number | 'off';
    readonly onInconclusive: 'warn' | 'error' | 'pass';
    readonly differences: readonly PolicyDifference[];
  };
  readonly candidate?: ModelSummary;
  readonly baseline?: ModelSummary;
  readonly sources: readonly {
    readonly path: string;
    /** Absent of a table that an engine keeps. */
    readonly sha256?: string;
    readonly rows: number;
    /** How it is stored, in words: `CSV, commas between values, quoted by ", header in line 1, UTF-8, LF`; `Parquet, 12 files`. */
    readonly form?: string;
    /** What its columns hold, where the policy asks for it. */
    readonly profile?: readonly ColumnProfile[];
  }[];
  /** Commits judged, where the run knows them. */
  readonly commit?: { readonly head: string; readonly base?: string };
  readonly environment: {
    readonly platform: string;
    readonly cpu: string;
    /** Instructions that kernels are chosen by, sorted, where the system tells them. */
    readonly cpuFlags?: readonly string[];
    readonly node: string;
    readonly onnxruntime?: string;
    readonly duckdb?: string;
  };
}
