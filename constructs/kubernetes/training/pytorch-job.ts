import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type PyTorchJobSpec, type PyTorchReplicas, pyTorchJob } from '../crd/kubeflow.ts';
import type { Findings } from '../problem.ts';
import { TrainingConstruct } from './training-construct.ts';
import { type TrainingPlan, trainingPlan } from './training-plan.ts';
import type { TrainingProps } from './training-props.ts';

export interface PyTorchJobProps extends TrainingProps {
  /**
   * Pods beside the master, which trains as well. With `elastic`, all pods there are at the start, since there is no master.
   * @default 0; with elastic its max
   */
  readonly workers?: number;
  /**
   * Go on with fewer pods when some are lost, and with more when they are back. torchrun forms the group anew and the program starts from its
   * last checkpoint; pods meet at worker 0.
   */
  readonly elastic?: {
    readonly min: number;
    readonly max: number;
    /**
     * How often torchrun forms the group anew before it gives up.
     * @default 100 on spot nodes, else 10
     */
    readonly maxRestarts?: number;
  };
  /**
   * How often containers may be started again before the job has failed. Pods on nodes that went are replaced beside.
   * @default 20 on spot nodes, else 3
   */
  readonly retries?: number;
  /** How long the finished job is kept. @default 7 days */
  readonly keep?: Duration;
  /** Fields of the PyTorchJob's spec that these props do not name. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * Distributed training by Kubeflow's training operator (v1): it sets `MASTER_ADDR`, `MASTER_PORT`, `WORLD_SIZE`, `RANK` and torchrun's `PET_*` in
 * every pod, and puts another in the place of one whose node went.
 *
 * Where a namespace enforces the Pod Security Standard "restricted", the operator's own init container for workers (`init-pytorch`) is refused
 * unless its template is changed; elastic jobs have none.
 */
export class PyTorchJob extends TrainingConstruct {
  readonly workload: CustomResource<PyTorchJobSpec>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: PyTorchJobProps) {
    const { elastic } = props;
    const workers = props.workers ?? elastic?.max ?? 0;
    super(scope, id, props, {
      construct: 'PyTorchJob',
      kind: pyTorchJob,
      success: 'Succeeded',
      plan: (findings) => {
        const pods = elastic === undefined ? workers + 1 : Math.max(workers, elastic.max);
        const plan = trainingPlan(id, 'pytorch', props, pods, findings);
        check(props, workers, findings);
        return plan;
      },
    });
    const { plan } = this;
    const onSpot = props.spot !== undefined && props.spot !== false;
    const keep = props.keep === undefined ? 7 * 24 * 3600 : Math.ceil(props.keep.toSeconds({ integral: false }));
    this.workload = new CustomResource(this, 'pytorch-job', pyTorchJob, {
      metadata: { name: plan.name, labels: plan.jobLabels },
      spec: {
        nprocPerNode: String(plan.processes),
        elasticPolicy:
          elastic === undefined
            ? undefined
            : {
                rdzvBackend: 'c10d',
                minReplicas: elastic.min,
                maxReplicas: elastic.max,
                maxRestarts: elastic.maxRestarts ?? (onSpot ? 100 : 10),
              },
        runPolicy: {
          // Pods that run on after the job has ended would hold their GPUs; those that ended keep their logs.
          cleanPodPolicy: 'Running',
          backoffLimit: props.retries ?? (onSpot ? 20 : 3),
          ttlSecondsAfterFinished: keep,
          activeDeadlineSeconds: plan.deadlineSeconds,
          suspend: plan.suspend,
        },
        pytorchReplicaSpecs: {
          Master: elastic === undefined ? replicas(1, plan, props) : undefined,
          Worker: workers === 0 ? undefined : replicas(workers, plan, props),
        },
      },
      extra: props.extra,
    });
  }
}

function replicas(count: number, plan: TrainingPlan, { image, command, args }: PyTorchJobProps): PyTorchReplicas {
  return {
    replicas: count,
    // Not by exit code: torchrun ends with 1 when its node is drained, as it does when the program fails.
    restartPolicy: 'OnFailure',
    template: {
      metadata: { labels: plan.labels },
      spec: {
        serviceAccountName: plan.name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...plan.pod,
        containers: [
          {
            // The operator looks for this name.
            name: 'pytorch',
            image,
            imagePullPolicy: 'IfNotPresent',
            command,
            args,
            env: plan.env,
            ports: [{ name: 'pytorchjob-port', containerPort: 23_456, protocol: 'TCP' }],
            resources: plan.resources,
            ...plan.container,
            terminationMessagePolicy: 'FallbackToLogsOnError',
          },
        ],
      },
    },
  };
}

function check({ elastic, retries, spot }: PyTorchJobProps, workers: number, findings: Findings): void {
  const whole = (count: number, least: number): boolean => Number.isInteger(count) && count >= least;
  findings.demand(whole(workers, 0), () => ({
    code: 'bad-replicas',
    message: 'workers is no number of pods',
    found: String(workers),
    expected: 'a whole number from 0',
    fix: 'Correct it.',
  }));
  findings.demand(retries === undefined || whole(retries, 0), () => ({
    code: 'bad-retries',
    message: 'retries is no number of times',
    found: String(retries),
    expected: 'a whole number from 0',
    fix: 'Correct it.',
  }));
  findings.demand(spot === undefined || spot === false || retries !== 0, () => ({
    code: 'spot-without-retries',
    message: 'spot nodes may go at any time and retries is 0, so the first that goes ends the job',
    fix: 'Raise retries, or leave it out.',
  }));
  if (elastic === undefined) return;
  const { min, max } = elastic;
  findings.demand(whole(min, 1) && whole(max, 1) && min <= max, () => ({
    code: 'bad-elastic',
    message: 'elastic has bounds that no job can keep',
    found: `${min} to ${max}`,
    expected: 'whole numbers from 1, min at most max',
    fix: 'Correct them.',
  }));
  findings.demand(workers >= min && workers <= max, () => ({
    code: 'workers-outside-elastic',
    message: `workers ${workers} is outside of elastic ${min} to ${max}, so the job would ${workers < min ? 'never begin' : 'leave pods idle'}`,
    fix: `Set workers to between ${min} and ${max}, or leave it out.`,
  }));
}
