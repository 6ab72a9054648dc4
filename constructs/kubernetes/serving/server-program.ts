import type { ServingProfileName } from '../../../core/telemetry/index.ts';
import type { DrainPlan } from '../pod/drain.ts';
import type { FetchPlan } from '../pod/model-fetch.ts';
import type { EnvVar, Volume, VolumeMount } from '../pod/pod-spec.ts';
import type { HealthChecks } from '../pod/probes.ts';
import type { RunAs } from '../pod/security.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';

/** A port the server listens on. */
export interface ProgramPort {
  /** `http`, `grpc`, `metrics`: what the Service and the probes call it. */
  readonly name: string;
  readonly port: number;
  /** `kubernetes.io/h2c` for gRPC, so that meshes and gateways speak HTTP/2 to it. */
  readonly appProtocol?: 'http' | 'kubernetes.io/h2c';
  /** It tells metrics and answers no requests: only scrapers reach it. */
  readonly internal?: boolean;
}

/** A folder the server writes into, on a volume of its own: the root file system is read-only. */
export interface WritableFolder {
  readonly name: string;
  readonly path: string;
  readonly size: Memory;
}

export interface MetricsEndpoint {
  /** Name of the container's port; its number where the container is another project's and names none. */
  readonly port: string | number;
  /** Whose port it is, where that is a number. */
  readonly container?: string;
  readonly path: string;
  /** What its series mean (`core/telemetry`); absent: they are scraped and read by nobody here. */
  readonly profile?: ServingProfileName;
}

/** Everything in which one server program differs from another. */
export interface ServerProgram {
  /** The construct's class as users write it. */
  readonly construct: string;
  /** `app.kubernetes.io/name`. */
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[] | ((drain: DrainPlan) => readonly string[]);
  readonly env?: readonly EnvVar[];
  /** The first one answers requests. */
  readonly ports: readonly [ProgramPort, ...ProgramPort[]];
  readonly health: HealthChecks;
  /** Absent: it tells no metrics. */
  readonly metrics?: MetricsEndpoint;
  readonly runAs: RunAs;
  readonly writable?: readonly WritableFolder[];
  /**
   * What the server does with SIGTERM. `drains`: it stays ready-but-leaving for the delay by itself; `finishes`: it finishes what it has, and the
   * delay has to come before the signal.
   */
  readonly onTerminate: 'drains' | 'finishes';
  /** Of `/dev/shm`, where it needs more than the default even without a GPU. */
  readonly sharedMemory?: Memory;
  /** Files for the pod, named by their content (`configMapName`); it is made beside the workload and never changed. */
  readonly configMap?: { readonly name: string; readonly data: Readonly<Record<string, string>> };
  /** What it can do with a GPU. */
  readonly gpu: 'none' | 'optional' | 'required';
  /** How its model gets into the pod; absent: it brings it itself. */
  readonly fetch?: FetchPlan;
  /** It fetches its model itself, while it starts: the startup probe has to wait for that, too. */
  readonly fetchesItself?: boolean;
  /** TCP ports it has to reach anywhere while it runs. */
  readonly reaches?: readonly number[];
  readonly volumes?: readonly Volume[];
  readonly mounts?: readonly VolumeMount[];
  /** What is wrong with the props of this program. */
  readonly problems?: readonly ConstructProblem[];
  readonly warnings?: readonly ConstructProblem[];
}
