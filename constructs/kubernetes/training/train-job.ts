import type { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type TrainJobSpec, trainJob } from '../crd/kubeflow.ts';
import { TrainingConstruct } from './training-construct.ts';
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
export class TrainJob extends TrainingConstruct {
  readonly workload: CustomResource<TrainJobSpec>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: TrainJobProps) {
    const { nodes = 1, image, command, args } = props;
    super(scope, id, props, {
      construct: 'TrainJob',
      kind: trainJob,
      success: 'Complete',
      plan: (findings) => {
        const plan = trainingPlan(id, 'trainer', props, nodes, findings);
        findings.demand(Number.isInteger(nodes) && nodes >= 1, () => ({
          code: 'bad-replicas',
          message: 'nodes is no number of pods',
          found: String(nodes),
          expected: 'a whole number from 1',
          fix: 'Correct it.',
        }));
        return plan;
      },
    });
    const { plan } = this;
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
