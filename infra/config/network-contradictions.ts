import type { Problem } from '../../core/problem/index.ts';
import type { PlaceBelow } from './place-below.ts';
import type { InfraEnvironment } from './schema.ts';

/** What is wrong with where an environment stands. */
export function networkContradictions(environment: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
  return [...foreignZones(environment, at), ...withoutNetwork(environment, at), ...withNetwork(environment, at)];
}

function foreignZones(environment: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
  const { region, availability_zones: zones = [], network } = environment;
  const named = [
    ...zones.map((zone, index) => [zone, at('availability_zones', index)] as const),
    ...Object.keys(network?.private_subnets ?? {}).map(
      (zone) => [zone, at('network', 'private_subnets', zone)] as const,
    ),
  ];
  return named
    .filter(([zone]) => !zone.startsWith(region))
    .map(([zone, place]) => ({
      code: 'foreign-zone',
      message: `the zone is not of the environment's region ${region}`,
      place,
      found: zone,
      fix: `Name zones such as ${region}a.`,
    }));
}

/** Everything that asks to stand in the network, and where it says so. */
function standing({ training, serving = {} }: InfraEnvironment, at: PlaceBelow): readonly ReturnType<PlaceBelow>[] {
  return [
    ...(training?.in_network === true ? [at('training', 'in_network')] : []),
    ...Object.entries(serving).flatMap(([name, endpoint]) =>
      endpoint.in_network === true ? [at('serving', name, 'in_network')] : [],
    ),
  ];
}

function withoutNetwork(environment: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
  if (environment.network !== undefined) return [];
  return standing(environment, at).map((place) => ({
    code: 'no-network',
    message: 'in_network is true, and the environment has no network',
    place,
    fix: 'Add network: { vpc, private_subnets } to the environment, or leave in_network out.',
  }));
}

function withNetwork(environment: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
  const { network, cluster, availability_zones: zones } = environment;
  if (network === undefined) return [];
  const subnets = Object.keys(network.private_subnets);
  const problems: Problem[] = [];
  if (cluster === undefined && standing(environment, at).length === 0) {
    problems.push({
      code: 'network-unused',
      message: 'nothing stands in the network',
      place: at('network'),
      fix: 'Set in_network: true where instances are to stand in it, add cluster, or leave network out.',
    });
  }
  if (cluster !== undefined && subnets.length < 2) {
    problems.push({
      code: 'too-few-subnets',
      message: 'EKS wants subnets in two zones at least',
      place: at('network', 'private_subnets'),
      found: subnets.join(', '),
      fix: 'Add one in another zone.',
    });
  }
  if (cluster?.nat_gateways !== undefined) {
    problems.push({
      code: 'ways-out-of-network',
      message: 'the cluster stands in a network that is there, to which nothing is added',
      place: at('cluster', 'nat_gateways'),
      found: 'network and cluster.nat_gateways',
      fix: 'Leave nat_gateways out.',
    });
  }
  if (zones !== undefined) {
    problems.push({
      code: 'zones-of-network',
      message:
        'availability_zones are for a network that is made, and there is one: its zones are those of its subnets',
      place: at('availability_zones'),
      found: 'network and availability_zones',
      fix: 'Leave availability_zones out.',
    });
  }
  return problems;
}
