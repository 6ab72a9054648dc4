export type LinterName =
  | 'kubeconform'
  | 'kube-score'
  | 'checkov'
  | 'dashboard-linter'
  | 'cfn-lint'
  | 'cfn-guard'
  | 'parliament';

/** What a linter calls an error. */
export interface Finding {
  /** The linter and its name of the rule: `kube-score container-image-tag`. */
  readonly rule: `${LinterName} ${string}`;
  /** `Deployment churn`, `Deployment churn, container server`, `dashboard Sluice / Triton, panel Reward`, `AWS::S3::Bucket ModelsBucket`. */
  readonly object: string;
  /** The construct of the gallery, or the example, that rendered it. */
  readonly from: string;
  readonly message: string;
}
