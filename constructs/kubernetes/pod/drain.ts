import { Duration } from 'cdk8s';
import type { ConstructProblem } from '../problem.ts';
import type { Lifecycle } from './pod-spec.ts';

/** How a pod goes without losing a request. */
export interface DrainProps {
  /**
   * From when the pod is to go until it takes no new requests: routers need that long to notice.
   * @default 5 seconds
   */
  readonly delay?: Duration;
  /**
   * Then requests on their way may take this long.
   * @default 30 seconds
   */
  readonly timeout?: Duration;
  /**
   * After which the pod is killed.
   * @default delay and timeout and 10 seconds
   */
  readonly terminationGrace?: Duration;
}

/** Seconds. */
export interface DrainPlan {
  readonly delay: number;
  readonly timeout: number;
  readonly terminationGrace: number;
}

export function drainPlan({ delay, timeout, terminationGrace }: DrainProps): DrainPlan {
  const seconds = (duration: Duration): number => Math.ceil(duration.toSeconds({ integral: false }));
  const plan = { delay: seconds(delay ?? Duration.seconds(5)), timeout: seconds(timeout ?? Duration.seconds(30)) };
  return {
    ...plan,
    terminationGrace: terminationGrace === undefined ? plan.delay + plan.timeout + 10 : seconds(terminationGrace),
  };
}

export function drainProblems({ delay, timeout, terminationGrace }: DrainPlan): readonly ConstructProblem[] {
  if (terminationGrace > delay + timeout) return [];
  return [
    {
      code: 'grace-too-short',
      message: `drain.terminationGrace ${terminationGrace} s is not more than drain.delay ${delay} s and drain.timeout ${timeout} s together, so requests on their way are cut off`,
      fix: `Raise drain.terminationGrace to more than ${delay + timeout} s, or lower drain.timeout.`,
    },
  ];
}

/**
 * For servers that stop at once, or that stop listening, when they get SIGTERM: the kubelet waits before it sends it, while routers take the
 * pod out. `sleep` needs no shell in the image (Kubernetes 1.30; stable in 1.34).
 */
export function sleepBeforeStop({ delay }: DrainPlan): Lifecycle | undefined {
  return delay === 0 ? undefined : { preStop: { sleep: { seconds: delay } } };
}
