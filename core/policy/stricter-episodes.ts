import { policyDefaults } from './defaults.ts';
import type { EpisodesPolicy } from './episodes-schema.ts';
import { baseWins, fields, headWins, larger, largerChange, type Merge, smaller, smallerChange } from './merge.ts';
import type { Gates } from './schema.ts';
import { reason, severity } from './stricter-data.ts';

const { episodes: defaults } = policyDefaults;

/** The environment is what a model is judged on, as evaluation rows are: the base's until the merge. */
export const mergeEpisodes: Merge<EpisodesPolicy> = fields<EpisodesPolicy>({
  command: baseWins(),
  files: baseWins(),
  count: baseWins(defaults.count),
  seed: baseWins(defaults.seed),
  max_steps: baseWins(defaults.max_steps),
  // Of the candidate's own file.
  output: headWins(),
  timeout: baseWins<string>(defaults.timeout),
  deadline: baseWins<string>(defaults.deadline),
  memory_mb: baseWins(defaults.memory_mb),
});

export const mergeEpisodeGates = {
  episode_reward: fields<NonNullable<Gates['episode_reward']>>({
    min: larger(),
    max: smaller(),
    max_regression: smallerChange,
    min_improvement: largerChange,
    severity,
    reason,
  }),
  episode_length: fields<NonNullable<Gates['episode_length']>>({ min: larger(), max: smaller(), severity, reason }),
  episode_violations: fields<NonNullable<Gates['episode_violations']>>({
    mostly: larger(policyDefaults.mostly),
    severity,
    reason,
  }),
};
