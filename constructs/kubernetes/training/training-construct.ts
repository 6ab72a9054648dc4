import { Construct } from 'constructs';
import type { CustomKind } from '../crd/custom-resource.ts';
import type { Identity } from '../labels.ts';
import { Findings } from '../problem.ts';
import { type TrainingObjects, trainingObjects } from './training-objects.ts';
import type { TrainingPlan } from './training-plan.ts';
import type { TrainingProps } from './training-props.ts';

/** What a kind of training is. */
export interface TrainingKind {
  /** The construct's class as users write it. */
  readonly construct: string;
  readonly kind: CustomKind<object>;
  /** The type of its condition that is true when it has succeeded. */
  readonly success: string;
  /** Its pods as the props want them; adds what is wrong. */
  plan(findings: Findings): TrainingPlan;
}

/** A training and what stands beside its job, which each kind of training adds itself. */
export abstract class TrainingConstruct extends Construct implements TrainingObjects {
  readonly identity: Identity;
  readonly serviceAccount: TrainingObjects['serviceAccount'];
  readonly networkPolicy?: NonNullable<TrainingObjects['networkPolicy']>;
  readonly checkpoints?: NonNullable<TrainingObjects['checkpoints']>;
  readonly completion?: NonNullable<TrainingObjects['completion']>;
  readonly completionAccess?: NonNullable<TrainingObjects['completionAccess']>;
  protected readonly plan: TrainingPlan;

  /** @throws ConstructError with everything that is wrong with the props */
  protected constructor(scope: Construct, id: string, props: TrainingProps, training: TrainingKind) {
    super(scope, id);
    const findings = new Findings(this, training.construct);
    this.plan = training.plan(findings);
    findings.throwIfAny();
    this.identity = this.plan.identity;
    const beside = trainingObjects(this, this.plan, props, training);
    this.serviceAccount = beside.serviceAccount;
    if (beside.networkPolicy !== undefined) this.networkPolicy = beside.networkPolicy;
    if (beside.checkpoints !== undefined) this.checkpoints = beside.checkpoints;
    if (beside.completion !== undefined) this.completion = beside.completion;
    if (beside.completionAccess !== undefined) this.completionAccess = beside.completionAccess;
  }
}
