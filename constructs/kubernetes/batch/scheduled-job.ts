import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import type { Labels } from '../labels.ts';
import { type CronJobBody, cronJob, type ServiceAccountBody, serviceAccount } from '../native.ts';
import type { Container, Toleration, Volume } from '../pod/pod-spec.ts';
import { podSecurity } from '../pod/security.ts';
import type { ConstructProblem } from '../problem.ts';

/** A job of the schedule: one container after those that bring what it needs. */
export interface ScheduledJobOptions {
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly schedule: string;
  /** @default Etc/UTC */
  readonly timeZone?: string | undefined;
  readonly suspend?: boolean | undefined;
  /** How late a run may begin, in seconds. */
  readonly startingDeadline: number;
  readonly successfulJobsHistory: number;
  /** @default 1 hour */
  readonly deadline?: Duration | undefined;
  /** An exit code that is an answer: running again would give the same. */
  readonly finalExitCode: number;
  readonly user: number;
  readonly initContainers?: readonly Container[] | undefined;
  readonly container: Container;
  readonly volumes: readonly Volume[];
  readonly nodeSelector?: Labels | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
}

/** The CronJob: one run at a time, in a pod that has no token of the API. */
export function scheduledJob(scope: Construct, options: ScheduledJobOptions): KubernetesObject<CronJobBody> {
  const { metadata, container, user } = options;
  const { name, labels } = metadata;
  return new KubernetesObject(scope, 'cron-job', cronJob, metadata, {
    spec: {
      schedule: options.schedule,
      timeZone: options.timeZone ?? 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: options.startingDeadline,
      successfulJobsHistoryLimit: options.successfulJobsHistory,
      failedJobsHistoryLimit: 3,
      suspend: options.suspend,
      jobTemplate: {
        metadata: { labels },
        spec: {
          backoffLimit: 2,
          activeDeadlineSeconds: Math.ceil(options.deadline?.toSeconds({ integral: false }) ?? 3600),
          podFailurePolicy: {
            rules: [
              {
                action: 'FailJob',
                onExitCodes: { containerName: container.name, operator: 'In', values: [options.finalExitCode] },
              },
            ],
          },
          template: {
            metadata: { labels },
            spec: {
              restartPolicy: 'Never',
              serviceAccountName: name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurity({ user, group: user }),
              nodeSelector: options.nodeSelector,
              tolerations: options.tolerations,
              initContainers: options.initContainers,
              containers: [container],
              volumes: options.volumes,
            },
          },
        },
      },
    },
  });
}

/** Whose rights the job has at a cloud: by annotations, and none in the cluster. */
export function jobServiceAccount(
  scope: Construct,
  metadata: { readonly name: string; readonly labels: Labels },
  annotations: Labels = {},
): KubernetesObject<ServiceAccountBody> {
  return new KubernetesObject(
    scope,
    'service-account',
    serviceAccount,
    { ...metadata, annotations: { ...annotations } },
    { automountServiceAccountToken: false },
  );
}

/**
 * What keeps a schedule from being one.
 * @param prop what users call the schedule
 * @param example a schedule of the kind that is meant
 * @param named whose id the name comes from: `construct`
 */
export function scheduleProblems(
  { name, schedule }: { readonly name: string; readonly schedule: string },
  { prop, example, named }: { readonly prop: string; readonly example: string; readonly named: string },
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (name.length > 52) {
    problems.push({
      code: 'name-too-long',
      message: 'the name is too long for a CronJob, whose Jobs are called by it and eleven characters',
      found: name,
      expected: 'at most 52 characters',
      fix: `Shorten the id of the ${named}.`,
    });
  }
  if (!/^(?:@(?:hourly|daily|midnight|weekly|monthly|yearly|annually)|\S+(?: +\S+){4})$/.test(schedule)) {
    problems.push({
      code: 'bad-schedule',
      message: `${prop} is nothing that cron knows`,
      found: schedule,
      expected: `minute, hour, day, month and day of the week, such as "${example}"`,
      fix: 'Correct it, or leave it out.',
    });
  }
  return problems;
}
