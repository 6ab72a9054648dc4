import type { Place, Problem } from '../../core/problem/index.ts';
import type { InfraConfig, InfraEnvironment } from './schema.ts';

/** What is wrong with a file whose every value is right by itself. */
export function contradictionsOf(
  { environments }: InfraConfig,
  placeOf: (path: readonly (string | number)[]) => Place,
): readonly Problem[] {
  return Object.entries(environments).flatMap(([name, environment]) => {
    const at = (...keys: readonly (string | number)[]): Place => placeOf(['environments', name, ...keys]);
    return [...foreignZones(environment, at), ...unwatched(environment, at), ...fewerThanLeast(environment, at)];
  });
}

type At = (...keys: readonly (string | number)[]) => Place;

function foreignZones({ region, availability_zones: zones = [] }: InfraEnvironment, at: At): readonly Problem[] {
  return zones.flatMap((zone, index) =>
    zone.startsWith(region)
      ? []
      : [
          {
            code: 'foreign-zone',
            message: `the zone is not of the environment's region ${region}`,
            place: at('availability_zones', index),
            found: zone,
            fix: `Name zones such as ${region}a.`,
          },
        ],
  );
}

function unwatched({ monitoring, serving }: InfraEnvironment, at: At): readonly Problem[] {
  if (monitoring === undefined) return [];
  const { prometheus, grafana } = monitoring;
  if (grafana === true && prometheus === undefined) {
    return [
      {
        code: 'grafana-without-prometheus',
        message: 'grafana would have nothing to ask',
        place: at('monitoring', 'grafana'),
        fix: 'Add monitoring.prometheus with the models that run in Kubernetes.',
      },
    ];
  }
  if (serving !== undefined || prometheus !== undefined) return [];
  return [
    {
      code: 'nothing-to-watch',
      message: 'monitoring watches the endpoints of serving, and there are none',
      place: at('monitoring'),
      fix: 'Add serving or monitoring.prometheus, or remove monitoring until there is an endpoint.',
    },
  ];
}

function fewerThanLeast({ serving = {} }: InfraEnvironment, at: At): readonly Problem[] {
  return Object.entries(serving).flatMap(([endpoint, { scaling }]) =>
    scaling === undefined || scaling.min <= scaling.max
      ? []
      : [
          {
            code: 'min-above-max',
            message: 'scaling.min is above scaling.max',
            place: at('serving', endpoint, 'scaling', 'max'),
            found: `${scaling.min} and ${scaling.max}`,
            fix: 'Swap them.',
          },
        ],
  );
}
