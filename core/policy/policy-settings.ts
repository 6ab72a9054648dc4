import { policyDefaults } from './defaults.ts';
import type { Policy } from './schema.ts';

/** What holds for a whole run, with the defaults filled in. */
export interface PolicySettings {
  /** The level of one-sided bounds; `off`: points are compared. */
  readonly evidence: number | 'off';
  readonly onInconclusive: 'warn' | 'error' | 'pass';
  /** `base`: the same file on the base branch. */
  readonly baseline: NonNullable<NonNullable<Policy['model']>['baseline']>;
  /** Slices with fewer rows are skipped. */
  readonly sliceMinRows: number;
  /** Groups with fewer rows are skipped. */
  readonly groupMinRows: number;
}

/** The settings of a policy. What single checks default to (severity, mostly, ...) is in `policyDefaults`. */
export function defaultsOf(policy: Policy): PolicySettings {
  return {
    evidence: policy.evidence ?? policyDefaults.evidence,
    onInconclusive: policy.on_inconclusive ?? policyDefaults.on_inconclusive,
    baseline: policy.model?.baseline ?? policyDefaults.baseline,
    sliceMinRows: policy.evaluation?.min_rows ?? policyDefaults.min_rows,
    groupMinRows: policy.gates?.fairness?.min_rows ?? policyDefaults.min_rows,
  };
}
