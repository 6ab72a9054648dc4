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

export interface StandingCost {
  readonly items: readonly StandingItem[];
  /** Of those whose price is known. */
  readonly atLeast: number;
}

/**
 * What a template costs for an hour when nothing happens: instances of endpoints and nodes as many as there are to begin with, control planes, ways out.
 * Not training, which costs while it runs, and nothing that is billed by use or by the month: storage, keys, logs, alarms, dashboards, requests.
 */
export function standingCost({ Resources = {} }: CostedTemplate): StandingCost {
  const counts = new Map<string, number>();
  for (const { what, count } of Object.values(Resources).flatMap(standingOf)) {
    if (count > 0) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const items = [...counts].map(([what, count]): StandingItem => {
    const price = prices[what];
    return { what, count, dollars: price && price.dollars * count };
  });
  return { items, atLeast: items.reduce((sum, { dollars = 0 }) => sum + dollars, 0) };
}

interface Standing {
  readonly what: string;
  readonly count: number;
}

function standingOf({ Type, Properties = {} }: Resource): readonly Standing[] {
  switch (Type) {
    case 'AWS::SageMaker::EndpointConfig':
      return ['ProductionVariants', 'ShadowProductionVariants'].flatMap((key) =>
        mappingsIn(Properties[key]).flatMap(({ InstanceType, InitialInstanceCount }) =>
          typeof InstanceType === 'string' ? [{ what: InstanceType, count: Number(InitialInstanceCount ?? 1) }] : [],
        ),
      );
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

function mappingsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : []).filter((each) => typeof each === 'object' && each !== null);
}
