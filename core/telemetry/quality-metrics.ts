import type { MetricDefinition } from './metric-definition.ts';

const perVersion = ['model_name', 'model_version'] as const;
const perFeature = [...perVersion, 'feature'] as const;

/**
 * What jobs beside the server tell of a model: the drift check of its inputs, and the process that lets a policy act in its environment. They
 * push these, or are scraped. Names of reinforcement learning follow Stable-Baselines3's logger
 * (https://stable-baselines3.readthedocs.io/en/master/common/logger.html: `rollout/ep_rew_mean`, `rollout/ep_len_mean`).
 */
export const qualityMetrics = {
  featurePsi: {
    name: 'model_feature_drift_psi',
    kind: 'gauge',
    help: 'Population stability index of a feature against its reference. Above 0.1 it shifts, above 0.2 it has drifted.',
    unit: 'value',
    labels: perFeature,
  },
  featureKl: {
    name: 'model_feature_drift_kl_divergence',
    kind: 'gauge',
    help: 'Kullback-Leibler divergence of a feature from its reference, in nats.',
    unit: 'nats',
    labels: perFeature,
  },
  driftChecked: {
    name: 'model_drift_checked_timestamp_seconds',
    kind: 'gauge',
    help: 'When the drift check last ended, in seconds of the epoch.',
    unit: 'timestamp',
    labels: perVersion,
  },
  episodeReward: {
    name: 'model_episode_reward_mean',
    kind: 'gauge',
    help: 'Mean reward of the last 100 episodes. A gauge: rewards may be negative, and a sum that falls is no counter.',
    unit: 'value',
    labels: perVersion,
  },
  episodeLength: {
    name: 'model_episode_length_mean',
    kind: 'gauge',
    help: 'Mean length of the last 100 episodes.',
    unit: 'steps',
    labels: perVersion,
  },
  episodes: {
    name: 'model_episodes_total',
    kind: 'counter',
    help: 'Episodes that ended.',
    unit: 'episodes',
    labels: perVersion,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
