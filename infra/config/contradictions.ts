import { sageMakerProblem } from '../../constructs/aws/index.ts';
import type { Place, Problem } from '../../core/problem/index.ts';
import { batchContradictions } from './batch-contradictions.ts';
import { networkContradictions } from './network-contradictions.ts';
import { below, type PlaceBelow } from './place-below.ts';
import type { InfraConfig, InfraEnvironment } from './schema.ts';
import { servingContradictions } from './serving-contradictions.ts';

/** What is wrong with a file whose every value is right by itself. */
export function contradictionsOf(
  { environments }: InfraConfig,
  placeOf: (path: readonly (string | number)[]) => Place,
): readonly Problem[] {
  return Object.entries(environments).flatMap(([name, environment]) => {
    const at: PlaceBelow = (...keys) => placeOf(['environments', name, ...keys]);
    return [
      ...networkContradictions(environment, at),
      ...unknownTrainer(environment, at),
      ...Object.entries(environment.serving ?? {}).flatMap(([endpoint, config]) =>
        servingContradictions(endpoint, config, below(at, 'serving', endpoint)),
      ),
      ...Object.entries(environment.batch ?? {}).flatMap(([job, config]) =>
        batchContradictions(config, below(at, 'batch', job)),
      ),
      ...unwatched(environment, at),
    ];
  });
}

function unknownTrainer({ training }: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
  if (training === undefined) return [];
  const unknown = sageMakerProblem('instance_type', training.instance_type, 'training');
  return unknown === undefined ? [] : [{ ...unknown, place: at('training', 'instance_type') }];
}

function unwatched({ monitoring, serving }: InfraEnvironment, at: PlaceBelow): readonly Problem[] {
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
