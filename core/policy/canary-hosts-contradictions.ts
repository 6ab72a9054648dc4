import type { Contradiction } from './contradictions.ts';
import { policyDefaults } from './defaults.ts';
import { durationMs } from './duration.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

/** Rules over `canary` where the traffic is that of plain hosts. */
export function contradictionsOfHosts({
  traffic,
  strategy,
  lease,
}: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  if (!isMapping(traffic) || traffic['provider'] !== 'hosts') return [];
  const path: PolicyPath = ['canary', 'traffic'];
  const listed: readonly unknown[] = Array.isArray(traffic['hosts']) ? traffic['hosts'] : [];
  const names = listed.map((host) => valueAt(host, ['name']));
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  const weights = Array.from({ length: listed.length }, (_, index) => Math.round((100 * (index + 1)) / listed.length));
  const wanted: readonly unknown[] =
    isMapping(strategy) && Array.isArray(strategy['weights']) ? strategy['weights'] : [];
  const impossible = wanted.findIndex((weight) => !weights.includes(Number(weight)));
  const lonely = traffic['drain'] === undefined ? 'undrain' : 'drain';
  const { hosts: defaults } = policyDefaults.canary;
  const of = (at: PolicyPath, usual: string) => durationMs(valueAt(traffic, at) ?? usual) ?? Number.NaN;
  const aHost = of(['restart', 'within'], defaults.command_within) + of(['health', 'within'], defaults.health_within);
  return [
    ...(twice === -1
      ? []
      : [
          {
            code: 'host-named-twice',
            message: 'two hosts have one name',
            path: [...path, 'hosts', twice, 'name'],
            fix: 'Give each a name of its own.',
          },
        ]),
    ...(valueAt(strategy, ['kind']) === 'adaptive'
      ? [
          {
            code: 'impossible-weight',
            message: 'an adaptive strategy needs every weight, and so many hosts have few',
            path: ['canary', 'strategy', 'kind'],
            fix: `Write "kind: steps" with weights out of ${weights.join(', ')}.`,
          },
        ]
      : []),
    ...(impossible === -1
      ? []
      : [
          {
            code: 'impossible-weight',
            message: `${listed.length} hosts cannot give the canary ${String(wanted[impossible])} % of the requests`,
            path: ['canary', 'strategy', 'weights', impossible],
            expected: weights.join(', '),
            fix: 'Take weights that are a share of the hosts.',
          },
        ]),
    ...((traffic['drain'] === undefined) === (traffic['undrain'] === undefined)
      ? []
      : [
          {
            code: 'half-drain',
            message: `there is ${lonely} and not ${lonely === 'drain' ? 'undrain' : 'drain'}`,
            path: [...path, lonely],
            fix: 'Give both, or neither.',
          },
        ]),
    ...((durationMs(lease ?? policyDefaults.canary.lease) ?? Number.NaN) < aHost
      ? [
          {
            code: 'short-lease',
            message: 'the lease may run out while a single host is changed',
            path: ['canary', lease === undefined ? 'traffic' : 'lease'],
            expected: `at least ${aHost / 1000}s: restart.within and health.within`,
            fix: 'Write a longer lease, or less for restart.within and health.within.',
          },
        ]
      : []),
  ];
}
