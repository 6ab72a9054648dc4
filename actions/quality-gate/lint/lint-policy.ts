import { dirname, resolve } from 'node:path';
import { openEngine } from '../../../core/data/index.ts';
import type { Host } from '../../../core/host/index.ts';
import {
  type EffectivePolicy,
  fairnessMetrics,
  headOnly,
  policyDefaults,
  readPolicy,
  regressionMetrics,
} from '../../../core/policy/index.ts';
import { repositoryRoot } from '../../../github/index.ts';
import { openEvaluation } from '../evaluation-rows.ts';
import { groupsOf } from '../fairness-gate.ts';
import { counted } from '../number-text.ts';
import { slicesOf } from '../slices/declared-slices.ts';
import type { Subset } from '../subsets.ts';
import { lintCustomMetrics } from './custom-lint.ts';
import {
  assumedFacts,
  classFacts,
  type EvaluationFacts,
  factsOf,
  labelFacts,
  type PartFacts,
  partFacts,
} from './evaluation-facts.ts';
import type { BoundResolution, Finding } from './finding.ts';
import { lintGroups } from './group-lint.ts';
import { type Linted, lintMetrics } from './metric-lint.ts';
import { policySmells } from './policy-smells.ts';
import { reliability } from './resolution.ts';
import { type Assumptions, usualAssumptions } from './standard-error.ts';

export interface LintInputs {
  readonly policyFile: string;
  /** What `policyFile` is relative to. */
  readonly directory: string;
  /** Judge by this number of rows, in two classes alike in size, and do not read the evaluation file. */
  readonly rows?: number;
  /** The share of predictions that change from one version of the model to the next, in (0, 1]; 0.08 when not given. */
  readonly churn?: number;
  /** `2026-11-21` (UTC). */
  readonly today: string;
}

/** What a policy can tell before anything has run. */
export interface PolicyLint {
  readonly schema: 1;
  readonly policy: string;
  /** The evaluation file, where one was read. */
  readonly source?: string;
  /** Evaluation rows; absent where the policy has no evaluation. */
  readonly rows?: number;
  readonly evidence: number | 'off';
  readonly assumptions: Assumptions & { readonly reliability: number };
  readonly bounds: readonly BoundResolution[];
  readonly findings: readonly Finding[];
}

/**
 * Says before a run what each bound can resolve with the evaluation rows there are, and what in the policy has no effect. Reads the policy and
 * the evaluation file, never a model. Throws a `SluiceError` for a policy or a file that cannot be read.
 */
export async function lintPolicy(inputs: LintInputs, host: Host): Promise<PolicyLint> {
  const { directory, policyFile, today } = inputs;
  const file = resolve(directory, policyFile);
  const policy = headOnly(await readPolicy(file, policyFile));
  const evidence = policy.policy.evidence ?? policyDefaults.evidence;
  const assumptions = { ...usualAssumptions, ...(inputs.churn === undefined ? {} : { churn: inputs.churn }) };
  const options = { policy, evidence, assumptions };
  const read = await readRows(options, dirname(file), inputs.rows, host);
  const ofMetrics = read === undefined ? nothing : lintMetrics({ ...options, ...read });
  const ofGroups =
    read === undefined || read.groups.length === 0
      ? nothing
      : lintGroups(policy, read.groups, read.facts, evidence === 'off' ? 0.5 : evidence);
  const findings = [
    ...ofMetrics.findings,
    ...ofGroups.findings,
    ...policySmells(policy, today),
    ...(read?.findings ?? []),
    ...(read?.custom.findings ?? []),
  ];
  return {
    schema: 1,
    policy: policyFile,
    ...(read === undefined || !read.known ? {} : { source: policy.policy.evaluation?.source ?? '' }),
    ...(read === undefined ? {} : { rows: read.facts.rows }),
    evidence,
    assumptions: { ...assumptions, reliability },
    bounds: [...ofMetrics.bounds, ...(read?.custom.bounds ?? []), ...ofGroups.bounds],
    findings: findings.toSorted(byWeightAndLine),
  };
}

const nothing = { bounds: [], findings: [] };

interface ReadRows {
  readonly facts: EvaluationFacts;
  readonly known: boolean;
  readonly slices: readonly PartFacts[];
  readonly classes: readonly PartFacts[];
  readonly groups: readonly PartFacts[];
  readonly findings: readonly Finding[];
  readonly custom: Linted;
}

async function readRows(
  {
    policy,
    ...options
  }: { readonly policy: EffectivePolicy; readonly evidence: number | 'off'; readonly assumptions: Assumptions },
  directory: string,
  rows: number | undefined,
  host: Host,
): Promise<ReadRows | undefined> {
  const task = taskOf(policy);
  if (rows !== undefined) {
    const facts = assumedFacts(rows, task);
    const classes = [{ ...facts, name: 'either of two' }];
    return { facts, known: false, slices: [], classes, groups: [], findings: [], custom: nothing };
  }
  if (policy.policy.evaluation === undefined) return undefined;
  await using engine = await openEngine({ host, directories: [repositoryRoot(directory)] });
  const evaluation = await openEvaluation(policy, directory, engine);
  const positive = evaluation.policy.positive === undefined ? undefined : String(evaluation.policy.positive);
  const { target, targets } = evaluation;
  // Of several labels a row nothing is known but how many rows there are.
  const several = targets.length > 1 || evaluation.policy.query !== undefined;
  // A ranking is drawn by query: so many are its rows.
  const [queries] = evaluation.policy.query === undefined ? [] : await evaluation.columns([evaluation.policy.query]);
  const units = queries === undefined ? evaluation.table.rows : new Set<string | number | null>(queries.values).size;
  const least = evaluation.policy.min_rows ?? policyDefaults.min_rows;
  const slices = await slicesOf({ policy }, evaluation);
  const large = slices.filter((slice) => slice.rows.length >= least);
  const fairness = policy.policy.gates?.fairness;
  const groups = fairness === undefined ? [] : await groupsOf([fairness.group].flat(), { policy }, evaluation);
  const part = (of: Subset) =>
    several ? { name: of.name, rows: of.rows.length, classes: [] } : partFacts(of, target, task, positive);
  const small = slices.length - large.length;
  return {
    facts: several ? { rows: units, classes: [] } : factsOf(target, task, { positive }),
    known: true,
    slices: large.map(part),
    classes: targets.length > 1 ? labelFacts(targets) : task === 'classification' ? classFacts(target) : [],
    groups: groups.map(part),
    custom: await lintCustomMetrics(policy, evaluation, { ...options, task, host }),
    findings:
      small === 0
        ? []
        : [
            {
              code: 'small-slices',
              level: 'note',
              message: `${counted(small, 'slice')} of ${slices.length} have fewer than min_rows (${least}) and will be skipped`,
              fix: 'Collect more rows of them, or slice more coarsely.',
              place: policy.placeOf(['evaluation', 'slices']),
            },
          ],
  };
}

function taskOf({ policy }: EffectivePolicy): 'classification' | 'regression' {
  const gates = policy.gates ?? {};
  if (policy.model?.task !== undefined) return policy.model.task;
  const fairness = fairnessMetrics.filter((name) => gates.fairness?.[name] !== undefined);
  const regression =
    regressionMetrics.some((name) => gates[name] !== undefined) ||
    fairness.some((name) => /^(mae|rmse|mean_prediction|mean_residual)_/.test(name));
  return regression ? 'regression' : 'classification';
}

function byWeightAndLine(one: Finding, other: Finding): number {
  if (one.level !== other.level) return one.level === 'warning' ? -1 : 1;
  return (one.place.line ?? 0) - (other.place.line ?? 0);
}
