import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type TrainJobSpec, trainJob } from '../crd/kubeflow.ts';
import type { Identity } from '../labels.ts';
import { Findings } from '../problem.ts';
import { type TrainingObjects, trainingObjects } from './training-objects.ts';
import { trainingPlan } from './training-plan.ts';
import type { TrainingProps } from './training-props.ts';

export interface TrainJobProps extends TrainingProps {
  /**
   * Pods that train together.
   * @default 1
   */
  readonly nodes?: number;
  /**
   * The runtime: what Trainer ships, or one of the platform's. Its failure policy says how often lost pods are replaced.
   * @default { name: 'torch-distributed', kind: 'ClusterTrainingRuntime' }
   */
  readonly runtime?: { readonly name: string; readonly kind?: 'ClusterTrainingRuntime' | 'TrainingRuntime' };
  /** Fields of the TrainJob's spec that these props do not name. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * Training by Kubeflow Trainer (v2, from 2.3), on top of a runtime that the platform keeps: image, command, resources and nodes are the job's,
 * and so are the volumes, the nodes and the rights of its pods, as a patch of the runtime's job `node`.
 */
export class TrainJob extends Construct implements TrainingObjects {
  readonly workload: CustomResource<TrainJobSpec>;
  readonly identity: Identity;
  readonly serviceAccount: TrainingObjects['serviceAccount'];
  readonly networkPolicy?: NonNullable<TrainingObjects['networkPolicy']>;
  readonly checkpoints?: NonNullable<TrainingObjects['checkpoints']>;
  readonly completion?: NonNullable<TrainingObjects['completion']>;
  readonly completionAccess?: NonNullable<TrainingObjects['completionAccess']>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: TrainJobProps) {
    super(scope, id);
    const { nodes = 1, image, command, args } = props;
    const findings = new Findings(this, 'TrainJob');
    const plan = trainingPlan(id, 'trainer', props, nodes, findings);
    findings.demand(Number.isInteger(nodes) && nodes >= 1, () => ({
      code: 'bad-replicas',
      message: 'nodes is no number of pods',
      found: String(nodes),
      expected: 'a whole number from 1',
      fix: 'Correct it.',
    }));
    findings.throwIfAny();
    this.identity = plan.identity;
    const beside = trainingObjects(this, plan, props, { kind: trainJob, success: 'Complete' });
    this.serviceAccount = beside.serviceAccount;
    if (beside.networkPolicy !== undefined) this.networkPolicy = beside.networkPolicy;
    if (beside.checkpoints !== undefined) this.checkpoints = beside.checkpoints;
    if (beside.completion !== undefined) this.completion = beside.completion;
    if (beside.completionAccess !== undefined) this.completionAccess = beside.completionAccess;
    this.workload = new CustomResource(this, 'train-job', trainJob, {
      metadata: { name: plan.name, labels: plan.jobLabels },
      spec: {
        runtimeRef: {
          name: props.runtime?.name ?? 'torch-distributed',
          kind: props.runtime?.kind ?? 'ClusterTrainingRuntime',
        },
        suspend: plan.suspend,
        activeDeadlineSeconds: plan.deadlineSeconds,
        trainer: {
          image,
          command,
          args,
          env: plan.env,
          numNodes: nodes,
          numProcPerNode: plan.processes,
          resourcesPerNode: plan.resources,
        },
        runtimePatches: [
          {
            manager: 'sluice.dev/constructs',
            trainingRuntimeSpec: {
              template: {
                spec: {
                  replicatedJobs: [
                    {
                      // The job and the container of every runtime of Trainer's.
                      name: 'node',
                      template: {
                        spec: {
                          template: {
                            metadata: { labels: plan.labels },
                            spec: {
                              serviceAccountName: plan.name,
                              ...plan.pod,
                              containers: [{ name: 'node', ...plan.container }],
                            },
                          },
                        },
                      },
                    },
                  ],
                },
              },
            },
          },
        ],
      },
      extra: props.extra,
    });
  }
}
