import { prices } from './prices.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What is looked at of a template. */
export interface CostedTemplate {
  readonly Resources?: Readonly<Record<string, Resource>>;
}

/** Something that costs by being there. */
export interface StandingItem {
  readonly what: string;
  readonly count: number;
  /** Of all of them, for an hour; nothing where no price is known. */
  readonly dollars: number | undefined;
}

/** Something that costs while it is used alone. */
export interface UsedItem {
  readonly what: string;
  readonly count: number;
  /** When it costs. */
  readonly when: string;
  /** Of all of them, for an hour of use; nothing where no price is known. */
  readonly dollars: number | undefined;
}

export interface StandingCost {
  readonly items: readonly StandingItem[];
  /** What is there at no cost until somebody asks for it. */
  readonly inUse: readonly UsedItem[];
  /** Of those that stand and whose price is known. */
  readonly atLeast: number;
}

/**
 * What a template costs for an hour when nothing happens: instances of endpoints and nodes as many as there are to begin with (none where scaling
 * goes down to none), containers that a serverless endpoint keeps, control planes, ways out. Beside that, what costs while it is used: instances of a
 * queue and of batches, containers of serverless endpoints. Not training, and nothing that is billed by the month or by the gigabyte: storage, keys,
 * logs, alarms, dashboards, traffic.
 */
export function standingCost({ Resources = {} }: CostedTemplate): StandingCost {
  const idle = idleConfigurations(Object.values(Resources));
  const found = Object.entries(Resources).flatMap(([id, resource]) => standingOf(resource, idle.has(id)));
  const standing = new Map<string, number>();
  const used = new Map<string, Standing>();
  for (const each of found) {
    const { what, count, when } = each;
    if (count <= 0) continue;
    if (when === undefined) standing.set(what, (standing.get(what) ?? 0) + count);
    else used.set(`${what} ${when}`, { what, when, count: (used.get(`${what} ${when}`)?.count ?? 0) + count });
  }
  const dollars = (what: string, count: number): number | undefined => {
    const price = prices[what];
    return price && price.dollars * count;
  };
  const items = [...standing].map(([what, count]): StandingItem => ({ what, count, dollars: dollars(what, count) }));
  const inUse = [...used.values()].map(
    ({ what, count, when = '' }): UsedItem => ({ what, count, when, dollars: dollars(what, count) }),
  );
  return { items, inUse, atLeast: items.reduce((sum, { dollars: known = 0 }) => sum + known, 0) };
}

interface Standing {
  readonly what: string;
  readonly count: number;
  /** Nothing of what costs all the time. */
  readonly when?: string;
}

/** The configurations of endpoints that have no instances while there is nothing to do, by what they are called in the template. */
function idleConfigurations(resources: readonly Resource[]): ReadonlySet<string> {
  const of = (type: string) => resources.filter(({ Type }) => Type === type).map(({ Properties = {} }) => Properties);
  const endpoints = of('AWS::ApplicationAutoScaling::ScalableTarget')
    .filter(({ MinCapacity }) => MinCapacity === 0)
    .map(({ ResourceId }) => String(ResourceId).split('/')[1]);
  const configurations = of('AWS::SageMaker::Endpoint')
    .filter(({ EndpointName }) => endpoints.includes(String(EndpointName)))
    .map(({ EndpointConfigName }) => JSON.stringify(EndpointConfigName));
  return new Set(configurations.flatMap((reference) => /"Fn::GetAtt":\["([^"]+)"/.exec(reference)?.[1] ?? []));
}

/** `idle`: of an endpoint's configuration, whether its instances come only when there is something to do. */
function standingOf({ Type, Properties = {} }: Resource, idle: boolean): readonly Standing[] {
  switch (Type) {
    case 'AWS::SageMaker::EndpointConfig':
      return ['ProductionVariants', 'ShadowProductionVariants'].flatMap((key) =>
        mappingsIn(Properties[key]).flatMap((variant) => ofVariant(variant, idle)),
      );
    case 'AWS::StepFunctions::StateMachine':
      return ofBatch(JSON.stringify(Properties['DefinitionString'] ?? ''));
    case 'AWS::EKS::Cluster':
      return [{ what: 'EKS control plane', count: 1 }];
    case 'AWS::EKS::Nodegroup': {
      const [scaling] = mappingsIn([Properties['ScalingConfig']]);
      const types = Properties['InstanceTypes'];
      const what = Array.isArray(types) ? String(types[0]) : 'an instance of EC2';
      return [{ what, count: Number(scaling?.['DesiredSize'] ?? 0) }];
    }
    case 'AWS::EC2::NatGateway':
      return [{ what: 'NAT gateway', count: 1 }];
    case 'AWS::EC2::EIP':
      return [{ what: 'public IPv4 address', count: 1 }];
    default:
      return [];
  }
}

function ofVariant(variant: Readonly<Record<string, unknown>>, idle: boolean): readonly Standing[] {
  const { InstanceType, InitialInstanceCount } = variant;
  if (typeof InstanceType === 'string') {
    const count = Number(InitialInstanceCount ?? 1);
    return [{ what: InstanceType, count, ...(idle ? { when: 'while requests are in the queue' } : {}) }];
  }
  const [serverless] = mappingsIn([variant['ServerlessConfig']]);
  if (serverless === undefined) return [];
  const { MemorySizeInMB, MaxConcurrency, ProvisionedConcurrency } = serverless;
  const container = `serverless container of ${Number(MemorySizeInMB)} MB`;
  return [
    { what: `${container}, kept ready`, count: Number(ProvisionedConcurrency ?? 0) },
    { what: container, count: Number(MaxConcurrency), when: 'while each of them answers' },
  ];
}

/** Of the definition of a state machine, whose text CloudFormation may put together of parts. */
function ofBatch(definition: string): readonly Standing[] {
  const text = definition.replaceAll('\\', '');
  const [, what, count] = /"TransformResources":\{"InstanceType":"([^"]+)","InstanceCount":(\d+)/.exec(text) ?? [];
  return what === undefined ? [] : [{ what, count: Number(count), when: 'while a batch runs' }];
}

function mappingsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : []).filter((each) => typeof each === 'object' && each !== null);
}
