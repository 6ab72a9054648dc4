import * as z from 'zod';
import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { AwsApi } from '../../aws/aws-api.ts';

const status = z.looseObject({ Status: z.string(), StatusMessage: z.string().nullish() });
const variant = z.looseObject({
  VariantName: z.string(),
  CurrentWeight: z.number().nullish(),
  DesiredWeight: z.number().nullish(),
  CurrentInstanceCount: z.number().nullish(),
  CurrentServerlessConfig: z.looseObject({}).nullish(),
  VariantStatus: z.array(status).nullish(),
});
const endpoint = z.looseObject({
  EndpointName: z.string(),
  EndpointArn: z.string(),
  EndpointStatus: z.string(),
  EndpointConfigName: z.string().nullish(),
  FailureReason: z.string().nullish(),
  ProductionVariants: z.array(variant).nullish(),
  PendingDeploymentSummary: z
    .looseObject({ EndpointConfigName: z.string(), ProductionVariants: z.array(variant).nullish() })
    .nullish(),
});
const done = z.looseObject({});

/** What `DescribeEndpoint` tells, as far as a rollout needs it. */
export type Endpoint = z.infer<typeof endpoint>;
export type Variant = z.infer<typeof variant>;

/** From which an endpoint does not come back by itself. */
const broken = new Set(['Failed', 'OutOfService', 'UpdateRollbackFailed', 'Deleting']);

/** Why the endpoint cannot take a canary's traffic; `undefined`: it can, as far as its status says. Printable. */
export function brokenEndpoint({ EndpointName, EndpointStatus, FailureReason }: Endpoint): string | undefined {
  if (!broken.has(EndpointStatus)) return undefined;
  const why = FailureReason == null || FailureReason === '' ? '' : `: ${excerpt(FailureReason, 200)}`;
  return `the endpoint ${excerpt(EndpointName)} is ${excerpt(EndpointStatus)}${why}`;
}

/** The calls of SageMaker's API that change and show an endpoint. */
export class EndpointClient {
  readonly #api: AwsApi;
  readonly name: string;

  constructor(api: AwsApi, name: string) {
    this.#api = api;
    this.name = name;
  }

  get title(): string {
    return `SageMaker endpoint ${excerpt(this.name)}`;
  }

  async describe(): Promise<Endpoint> {
    return this.#api.call('DescribeEndpoint', { EndpointName: this.name }, endpoint, this);
  }

  /** Sets the weights of production variants. Throws a PeerError `endpoint-busy` while the endpoint is not InService. */
  async weigh(weights: readonly { readonly variant: string; readonly weight: number }[]): Promise<void> {
    await this.#api.call(
      'UpdateEndpointWeightsAndCapacities',
      {
        EndpointName: this.name,
        DesiredWeightsAndCapacities: weights.map(({ variant: VariantName, weight: DesiredWeight }) => ({
          VariantName,
          DesiredWeight,
        })),
      },
      done,
      this,
    );
  }

  /** Begins a deployment of another configuration. Throws a PeerError `endpoint-busy` while the endpoint is not InService. */
  async update(
    configuration: string,
    deployment: Readonly<Record<string, unknown>>,
    instances: 'current' | 'configuration',
  ): Promise<void> {
    await this.#api.call(
      'UpdateEndpoint',
      {
        EndpointName: this.name,
        EndpointConfigName: configuration,
        DeploymentConfig: deployment,
        ...(instances === 'configuration' ? {} : keepingInstances),
      },
      done,
      this,
    );
  }

  /** AWS's time in milliseconds of the epoch, by its last answer. */
  async now(): Promise<number> {
    if (this.#api.now === undefined) await this.describe();
    return this.#api.now ?? Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }
}

/** Of what an endpoint has and its configuration says otherwise, only how many instances there are. */
const keepingInstances = {
  RetainAllVariantProperties: true,
  ExcludeRetainedVariantProperties: [
    { VariantPropertyType: 'DesiredWeight' },
    { VariantPropertyType: 'DataCaptureConfig' },
  ],
};

/** Whether an endpoint refused since another change is on. */
export function isBusy(error: unknown): boolean {
  return error instanceof PeerError && error.problems.some(({ code }) => code === 'endpoint-busy');
}

/** An endpoint that no rollout of this mode can have. The code is one that asking again does not mend. */
export function unfit(title: string, message: string, fix: string): PeerError {
  return new PeerError({ code: 'unfit-object', message: `${title} ${message}`, fix });
}
