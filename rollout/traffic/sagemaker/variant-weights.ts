import { setTimeout as sleep } from 'node:timers/promises';
import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { AwsApi, type AwsPlace } from '../../aws/aws-api.ts';
import {
  type StoredRecord,
  type TrafficChange,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from '../../traffic-provider.ts';
import { checkTraffic } from '../traffic-bounds.ts';
import { brokenEndpoint, type Endpoint, EndpointClient, isBusy, unfit, type Variant } from './endpoint.ts';
import { roomInTags, TagRecord } from './tag-record.ts';

export interface VariantWeightsOptions extends AwsPlace {
  readonly endpointName: string;
  /** Names of production variants of the endpoint. */
  readonly baseline: string;
  readonly canary: string;
  /** Milliseconds to wait for a change that is on before a move gives up and is made again. @default 20000 */
  readonly busyMs?: number;
  /** Milliseconds between two looks at an endpoint that changes. @default 2000 */
  readonly pollMs?: number;
  /** Milliseconds after which the bid of a writer that died is passed over. @default 45000 */
  readonly deadBidMs?: number;
}

/**
 * Traffic between two production variants of one SageMaker endpoint, by `UpdateEndpointWeightsAndCapacities`. Capacities stay. The record
 * is in the endpoint's tags (`TagRecord`), the weights are not: the record is written first, and a second call moves the traffic.
 *
 * SageMaker has nothing that would restore the weights by itself: there is no guard.
 */
export function openVariantWeights(options: VariantWeightsOptions): TrafficProvider {
  return new VariantWeights(options);
}

class VariantWeights implements TrafficProvider {
  readonly name = 'sagemaker';
  readonly title: string;
  readonly can = { header: false, mirror: false, weights: 'any' } as const;
  readonly room = roomInTags;
  readonly #options: VariantWeightsOptions;
  readonly #endpoint: EndpointClient;
  readonly #record: TagRecord;
  #arn: string | undefined;

  constructor(options: VariantWeightsOptions) {
    this.#options = options;
    const api = new AwsApi('sagemaker', options);
    this.#endpoint = new EndpointClient(api, options.endpointName);
    this.title = `${this.#endpoint.title}, variants ${excerpt(options.baseline)} and ${excerpt(options.canary)}`;
    this.#record = new TagRecord({
      api,
      arn: async () => (this.#arn ??= (await this.#endpoint.describe()).EndpointArn),
      title: this.#endpoint.title,
      ...(options.deadBidMs === undefined ? {} : { deadBidMs: options.deadBidMs }),
    });
  }

  async read(): Promise<TrafficState> {
    const endpoint = await this.#describe();
    const { baseline, canary } = this.#arms(endpoint);
    const desired = { canaryWeight: shareOf(canary.DesiredWeight, baseline.DesiredWeight), mirrorPercent: 0 };
    const observed = { canaryWeight: shareOf(canary.CurrentWeight, baseline.CurrentWeight), mirrorPercent: 0 };
    const notReady = brokenEndpoint(endpoint) ?? this.#foreignChange(endpoint) ?? emptyVariant(canary);
    return {
      desired,
      observed,
      settled: endpoint.EndpointStatus === 'InService' && desired.canaryWeight === observed.canaryWeight,
      ...(notReady === undefined ? {} : { notReady }),
    };
  }

  now(): Promise<number> {
    return this.#endpoint.now();
  }

  record(): Promise<StoredRecord | undefined> {
    return this.#record.stored();
  }

  async move({ record, traffic, after }: TrafficChange): Promise<string> {
    if (traffic !== undefined) {
      checkTraffic(traffic, this);
      this.#arms(await this.#describe());
    }
    const revision = await this.#written(record, after);
    if (traffic !== undefined) await this.#weigh(traffic.canaryWeight);
    return revision;
  }

  clear(after: string): Promise<void> {
    return this.#record.clear(after);
  }

  /** The weights are all there is: the variant that has nothing keeps its instances until its owner removes it. */
  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    await this.#weigh(outcome === 'promoted' ? 100 : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint[Symbol.asyncDispose]();
  }

  /** A move that failed after its record was written comes again with the same text: the record need not be written twice. */
  async #written(record: string, after: string | undefined): Promise<string> {
    const found = await this.#record.read();
    if (found?.revision !== after)
      throw new TrafficConflict(`the record of ${this.title} is not the one that was read`);
    return found?.text === record ? found.revision : this.#record.write(record, after, {});
  }

  async #weigh(canaryWeight: number): Promise<void> {
    const { busyMs = 20_000, pollMs = 2000 } = this.#options;
    const began = performance.now();
    for (;;) {
      const endpoint = await this.#describe();
      const { baseline, canary } = this.#arms(endpoint);
      const there = shareOf(canary.DesiredWeight, baseline.DesiredWeight) === canaryWeight;
      if (there && (endpoint.EndpointStatus === 'InService' || this.#foreignChange(endpoint) === undefined)) return;
      if (endpoint.EndpointStatus === 'InService') {
        try {
          return await this.#endpoint.weigh([
            { variant: this.#options.canary, weight: canaryWeight },
            { variant: this.#options.baseline, weight: 100 - canaryWeight },
          ]);
        } catch (error) {
          // Somebody was quicker, or an earlier try of ours was not lost after all.
          if (!isBusy(error)) throw error;
        }
      }
      const why = brokenEndpoint(endpoint);
      if (why !== undefined) throw stuck(why);
      if (performance.now() - began > busyMs)
        throw stuck(this.#foreignChange(endpoint) ?? `${this.title} is ${excerpt(endpoint.EndpointStatus)}`);
      await sleep(pollMs);
    }
  }

  async #describe(): Promise<Endpoint> {
    const endpoint = await this.#endpoint.describe();
    this.#arn = endpoint.EndpointArn;
    return endpoint;
  }

  #arms({ ProductionVariants }: Endpoint): { readonly baseline: Variant; readonly canary: Variant } {
    const variants = ProductionVariants ?? [];
    const names = variants.map(({ VariantName }) => excerpt(VariantName)).join(', ');
    const of = (name: string): Variant => {
      const found = variants.find(({ VariantName }) => VariantName === name);
      if (found !== undefined) return found;
      throw unfit(
        this.#endpoint.title,
        `has no production variant ${excerpt(name)}; it has ${names === '' ? 'none' : names}`,
        'Correct baseline and canary in canary.traffic, or deploy an endpoint configuration with both variants first.',
      );
    };
    const { baseline, canary } = this.#options;
    const third = variants.find(
      ({ VariantName, DesiredWeight }) =>
        VariantName !== baseline && VariantName !== canary && (DesiredWeight ?? 0) > 0,
    );
    if (third !== undefined) {
      throw unfit(
        this.#endpoint.title,
        `gives requests to a third variant, ${excerpt(third.VariantName)}`,
        'Set its weight to 0: a rollout is between two.',
      );
    }
    return { baseline: of(baseline), canary: of(canary) };
  }

  /** A deployment of another configuration: nobody knows which weights it ends with. */
  #foreignChange({ PendingDeploymentSummary: pending, EndpointStatus }: Endpoint): string | undefined {
    if (pending == null && EndpointStatus !== 'RollingBack') return undefined;
    const to =
      pending == null ? 'an earlier configuration' : `the configuration ${excerpt(pending.EndpointConfigName)}`;
    return `somebody else deploys ${to} to ${this.#endpoint.title}`;
  }
}

/** Whole percent; what is more than nothing is never called nothing, what is less than all never all. */
function shareOf(canary: number | null | undefined, baseline: number | null | undefined): number {
  const [own, other] = [canary ?? 0, baseline ?? 0];
  if (own === 0) return 0;
  if (other === 0) return 100;
  return Math.min(99, Math.max(1, Math.round((100 * own) / (own + other))));
}

function emptyVariant({ VariantName, CurrentInstanceCount, CurrentServerlessConfig, VariantStatus }: Variant) {
  const status = VariantStatus?.find(({ Status }) => Status === 'Creating' || Status === 'Deleting');
  if (status !== undefined) return `the variant ${excerpt(VariantName)} is ${excerpt(status.Status)}`;
  const serverless = CurrentServerlessConfig != null;
  return serverless || CurrentInstanceCount == null || CurrentInstanceCount > 0
    ? undefined
    : `the variant ${excerpt(VariantName)} has no instance`;
}

function stuck(why: string): PeerError {
  return new PeerError({
    code: 'endpoint-busy',
    message: `the weights cannot be set now: ${why}`,
    fix: 'Wait until the endpoint is InService; where it failed, see its log group in CloudWatch and deploy it again.',
  });
}
