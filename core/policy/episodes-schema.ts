import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { change, duration, mostly, name, oneOf, path, reason, severity } from './schema-words.ts';

const { episodes: defaults } = policyDefaults;

/** The policy's key `episodes`: where a reinforcement-learning model acts. */
export const episodesSchema = z
  .strictObject({
    command: z
      .array(name)
      .min(1)
      .describe(
        "The environment's program and its arguments, started without a shell: [python3, environment.py]. It speaks Sluice's environment protocol.",
      ),
    files: z
      .array(path)
      .min(1)
      .max(100)
      .optional()
      .describe(
        "Every file the environment consists of. In a pull request the base branch's are run, in a folder of their own; without this key the checkout's.",
      ),
    count: z.int().min(2).max(100_000).optional().meta({
      description: 'How many episodes. Candidate and baseline play the same seeds.',
      default: defaults.count,
    }),
    seed: z.int().min(0).max(2_147_483_647).optional().meta({
      description: 'The seed of the first episode; each next one has the next number.',
      default: defaults.seed,
    }),
    max_steps: z.int().min(1).max(10_000_000).optional().meta({
      description: 'An episode that the environment does not end by then is cut off.',
      default: defaults.max_steps,
    }),
    output: name
      .optional()
      .describe("The model's output that is the action, or a score for each action. Found when there is one only."),
    timeout: duration.optional().meta({
      description: 'How long the environment may take to start, and for each answer.',
      default: defaults.timeout,
    }),
    deadline: duration.optional().meta({
      description: 'How long all episodes of both models may take.',
      default: defaults.deadline,
    }),
    memory_mb: z.int().min(16).optional().meta({
      description: 'Megabytes (10^6 bytes) the environment may take, with all it starts. Watched on Linux.',
      default: defaults.memory_mb,
    }),
  })
  .describe('An environment that a reinforcement-learning model acts in; gates.episode_reward and others judge it.');

/** Gates over episodes. */
export const episodeGates = {
  episode_reward: z
    .strictObject({
      min: z.number().optional().describe('The mean reward of an episode is at least this.'),
      max: z.number().optional().describe('At most this.'),
      max_regression: change.optional().describe('How much less than the baseline, played on the same seeds.'),
      min_improvement: change.optional().describe('How much more than the baseline it must be.'),
      severity: severity.optional(),
      reason: reason.optional(),
    })
    .meta({
      description: 'The sum of rewards of an episode, without discount, as its mean over the episodes.',
      ...oneOf('min', 'max', 'max_regression', 'min_improvement'),
    }),
  episode_length: z
    .strictObject({
      min: z.number().min(0).optional().describe('Episodes last at least so many steps in the mean.'),
      max: z.number().min(0).optional().describe('At most so many.'),
      severity: severity.optional(),
      reason: reason.optional(),
    })
    .meta({ description: 'How many steps an episode lasts.', ...oneOf('min', 'max') }),
  episode_violations: z
    .strictObject({
      mostly: mostly.optional().describe('The share of episodes that must be without any.'),
      severity: severity.optional(),
      reason: reason.optional(),
    })
    .describe('No episode has a violation: one that the environment tells, or an action outside its range.'),
} as const;

export const episodeGateNames = ['episode_reward', 'episode_length', 'episode_violations'] as const;

export type EpisodesPolicy = z.infer<typeof episodesSchema>;
