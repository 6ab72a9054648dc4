import { expect } from 'vitest';
import { type ApiHandlers, ApiStandIn } from '../../aws/api-stand-in.ts';
import type { World } from '../../stand-ins.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';

/** For tests: one SageMaker endpoint behind AWS's API, with a data plane that follows when it is told to. */
export class EndpointStandIn {
  readonly arn = 'arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn';
  readonly tags = new Map<string, string>([['owner', 'team-churn']]);
  readonly alarms = new Map<string, string>();
  readonly configurations = new Set(['churn-1', 'churn-2']);
  configuration = 'churn-1';
  status = 'InService';
  failure: string | undefined;
  variants: { name: string; desired: number; current: number; instances: number }[] = [
    { name: 'blue', desired: 1, current: 1, instances: 2 },
    { name: 'green', desired: 0, current: 0, instances: 1 },
  ];
  pending:
    | {
        readonly configuration: string;
        readonly size: number;
        readonly alarms: readonly string[];
        stage: 'Creating' | 'Baking';
      }
    | undefined;
  /** Called after a list of tags was taken and before it is sent: others act in between. */
  meanwhile: (() => void | Promise<void>) | undefined;

  async start(): Promise<ApiStandIn> {
    return ApiStandIn.start(this.handlers());
  }

  handlers(): ApiHandlers {
    const busy = { refuse: 'ValidationException', message: `Cannot update in-progress endpoint "${this.arn}".` };
    const none = (what: string) => ({ refuse: 'ValidationException', message: `Could not find ${what}.` });
    return {
      'sagemaker:DescribeEndpoint': ({ EndpointName: name }) =>
        name === 'churn' ? { output: this.#description() } : none(`endpoint "${String(name)}"`),
      'sagemaker:ListTags': async () => {
        const output = { Tags: [...this.tags].map(([Key, Value]) => ({ Key, Value })) };
        await this.meanwhile?.();
        return { output };
      },
      'sagemaker:AddTags': ({ Tags: added }) => {
        const tags = added as readonly { Key: string; Value: string }[];
        if (new Set([...this.tags.keys(), ...tags.map(({ Key }) => Key)]).size > 50) {
          return { refuse: 'ValidationException', message: 'Too many tags: the limit is 50.' };
        }
        for (const { Key, Value } of tags) this.tags.set(Key, Value);
        return { output: {} };
      },
      'sagemaker:DeleteTags': ({ TagKeys: keys }) => {
        for (const key of keys as readonly string[]) this.tags.delete(key);
        return { output: {} };
      },
      'sagemaker:UpdateEndpointWeightsAndCapacities': ({ DesiredWeightsAndCapacities: wanted }) => {
        if (this.status !== 'InService') return busy;
        for (const { VariantName, DesiredWeight } of wanted as readonly {
          VariantName: string;
          DesiredWeight: number;
        }[]) {
          const variant = this.variants.find(({ name }) => name === VariantName);
          if (variant === undefined) return none(`variant "${VariantName}"`);
          variant.desired = DesiredWeight;
        }
        this.status = 'Updating';
        return { output: { EndpointArn: this.arn } };
      },
      'sagemaker:UpdateEndpoint': ({ EndpointConfigName: name, DeploymentConfig: deployment }) => {
        if (this.status !== 'InService') return busy;
        if (!this.configurations.has(String(name))) return none(`endpoint configuration "${String(name)}"`);
        const { BlueGreenUpdatePolicy: policy, AutoRollbackConfiguration: back } = deployment as {
          BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: Record<string, { Value: number } | undefined> };
          AutoRollbackConfiguration?: { Alarms: readonly { AlarmName: string }[] };
        };
        const { CanarySize: canary, LinearStepSize: linear } = policy.TrafficRoutingConfiguration;
        const alarms = (back?.Alarms ?? []).map(({ AlarmName }) => AlarmName);
        this.pending = {
          configuration: String(name),
          size: (canary ?? linear)?.Value ?? 100,
          alarms,
          stage: 'Creating',
        };
        this.status = 'Updating';
        this.failure = undefined;
        return { output: { EndpointArn: this.arn } };
      },
      'cloudwatch:SetAlarmState': ({ AlarmName: alarm, StateValue: state }) => {
        if (!this.alarms.has(String(alarm))) return { refuse: 'ResourceNotFound', message: 'Unknown' };
        this.alarms.set(String(alarm), String(state));
        this.#watch();
        return { output: {} };
      },
    };
  }

  /** Any of the deployment's alarms rings while it is on. */
  ring(alarm: string): void {
    this.alarms.set(alarm, 'ALARM');
    this.#watch();
  }

  /** The data plane goes one step on. */
  settle(): void {
    const { pending } = this;
    if (this.status === 'RollingBack') {
      this.status = 'InService';
      this.failure = 'One or more configured alarm(s) that would trigger deployment rollback were in ALARM state.';
      return;
    }
    if (pending !== undefined && pending.stage === 'Creating' && pending.size < 100) {
      pending.stage = 'Baking';
      return;
    }
    if (pending !== undefined) this.configuration = pending.configuration;
    this.pending = undefined;
    for (const variant of this.variants) variant.current = variant.desired;
    if (this.status === 'Updating') this.status = 'InService';
  }

  /** The canary's share of what is served now, by variants or by configurations. */
  share(by: 'variants' | 'configurations'): number {
    if (by === 'variants') {
      const all = this.variants.reduce((sum, { current }) => sum + current, 0);
      return (this.variants.find(({ name }) => name === 'green')?.current ?? 0) / all;
    }
    if (this.configuration === 'churn-2') return 1;
    return this.pending?.configuration === 'churn-2' && this.pending.stage === 'Baking' ? this.pending.size / 100 : 0;
  }

  #watch(): void {
    if (this.pending?.alarms.some((alarm) => this.alarms.get(alarm) === 'ALARM') !== true) return;
    this.pending = undefined;
    this.status = 'RollingBack';
  }

  #description(): Readonly<Record<string, unknown>> {
    const { pending } = this;
    return {
      EndpointName: 'churn',
      EndpointArn: this.arn,
      EndpointConfigName: this.configuration,
      EndpointStatus: this.status,
      ...(this.failure === undefined ? {} : { FailureReason: this.failure }),
      CreationTime: 1.7e9,
      LastModifiedTime: 1.7e9,
      ProductionVariants: this.variants.map(({ name, desired, current, instances }) => ({
        VariantName: name,
        DesiredWeight: desired,
        CurrentWeight: current,
        CurrentInstanceCount: instances,
        DesiredInstanceCount: instances,
      })),
      ...(pending === undefined
        ? {}
        : {
            PendingDeploymentSummary: {
              EndpointConfigName: pending.configuration,
              StartTime: 1.7e9,
              ProductionVariants: [
                {
                  VariantName: 'AllTraffic',
                  CurrentWeight: 1,
                  VariantStatus: [{ Status: pending.stage, StartTime: 1.7e9 }],
                },
              ],
            },
          }),
    };
  }
}

/** A stand-in that serves, with a provider that `open` opens of it; `share` says by what its requests are shared out. */
export async function endpointStage(
  endpoint: EndpointStandIn,
  share: Parameters<EndpointStandIn['share']>[0],
  open: (aws: ApiStandIn, again: boolean) => TrafficProvider,
) {
  const aws = await endpoint.start();
  const provider = open(aws, false);
  return {
    endpoint,
    aws,
    provider,
    again: async () => open(aws, true),
    settle: async () => endpoint.settle(),
    serve: async (requests: number) => {
      const canary = Math.round(requests * endpoint.share(share));
      return { canary, baseline: requests - canary };
    },
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await aws[Symbol.asyncDispose]();
      expect(aws.faults).toEqual([]);
    },
  };
}

/** The same provider in a world whose time is told. */
export function timedBy(world: World, provider: TrafficProvider): TrafficProvider {
  const { name, title, can, guard, room } = provider;
  return {
    name,
    title,
    can,
    ...(room === undefined ? {} : { room }),
    ...(guard === undefined ? {} : { guard }),
    now: async () => world.time,
    read: () => provider.read(),
    record: () => provider.record(),
    move: (change) => provider.move(change),
    clear: (after) => provider.clear(after),
    finish: (outcome) => provider.finish(outcome),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}
