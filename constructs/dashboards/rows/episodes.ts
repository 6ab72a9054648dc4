import { episodeRate, modelGauge } from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** How a reinforcement-learning policy does in its environment. */
export function episodesRow(scope: DashboardScope): Row {
  const perVersion = scope.job(['version']);
  const version = 'version {{model_version}}';
  return {
    title: 'Reward and episodes',
    panels: [
      ...scope.panel({ title: 'Reward', description: 'Mean reward of the last 100 episodes.', source: 'job' }, [
        modelGauge('episodeReward', 'avg', perVersion),
        version,
      ]),
      ...scope.panel({ title: 'Episode length', description: 'Mean steps of the last 100 episodes.', source: 'job' }, [
        modelGauge('episodeLength', 'avg', perVersion),
        version,
      ]),
      ...scope.panel({ title: 'Episodes', description: 'Episodes that end per second.', source: 'job' }, [
        episodeRate(perVersion),
        version,
      ]),
    ],
  };
}
