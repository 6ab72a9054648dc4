import type { Place, Problem } from '../../core/problem/index.ts';
import type { InfraConfig } from './schema.ts';

/** What is wrong with a file whose every value is right by itself. */
export function contradictionsOf(
  { environments }: InfraConfig,
  placeOf: (path: readonly (string | number)[]) => Place,
): readonly Problem[] {
  return Object.entries(environments).flatMap(([name, { region, availability_zones: zones = [] }]) =>
    zones.flatMap((zone, index) =>
      zone.startsWith(region)
        ? []
        : [
            {
              code: 'foreign-zone',
              message: `the zone is not of the environment's region ${region}`,
              place: placeOf(['environments', name, 'availability_zones', index]),
              found: zone,
              fix: `Name zones such as ${region}a.`,
            },
          ],
    ),
  );
}
