import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { episodeGateNames } from './episodes-schema.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

/** Rules over `episodes` and the gates that judge them: neither without the other, and something demanded. */
export function contradictionsOfEpisodes(policy: unknown): readonly Contradiction[] {
  if (!isMapping(policy)) return [];
  const gates = isMapping(policy['gates']) ? policy['gates'] : {};
  const [first] = episodeGateNames.filter((name) => name in gates);
  const path: PolicyPath = ['gates', 'episode_reward'];
  return [
    ...(first !== undefined && !('episodes' in policy)
      ? [
          {
            code: 'gate-without-episodes',
            message: `the gate "${first}" needs an environment to act in, and the policy has none`,
            path: ['gates', first],
            lackingIn: [],
            fix: 'Add "episodes: { command: [python3, environment.py] }".',
          },
        ]
      : []),
    ...('episodes' in policy && first === undefined && !('guardrails' in gates)
      ? [
          {
            code: 'no-effect',
            message: 'episodes have no effect: no gate judges them',
            path: ['episodes'],
            lackingIn: ['gates'],
            fix: 'Add "gates: { episode_reward: { min: 100 } }", or remove it.',
          },
        ]
      : []),
    ...lacksBound(
      gates['episode_reward'],
      ['min', 'max', 'max_regression', 'min_improvement'],
      'the gate "episode_reward"',
      path,
    ),
    ...minAboveMax(gates['episode_reward'], path),
    ...lacksBound(gates['episode_length'], ['min', 'max'], 'the gate "episode_length"', ['gates', 'episode_length']),
    ...minAboveMax(gates['episode_length'], ['gates', 'episode_length']),
    ...filesOutside(valueAt(policy, ['episodes', 'files'])),
  ];
}

/** Files are laid out in a folder of their own, so they need a place below it. */
function filesOutside(files: unknown): readonly Contradiction[] {
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: unknown, index): readonly Contradiction[] => {
    if (typeof file !== 'string') return [];
    const parts = file.split(/[\\/]/);
    const outside = parts.includes('..') || /^([\\/]|[A-Za-z]:)/.test(file);
    const repeated = files.indexOf(file) !== index;
    if (!outside && !repeated) return [];
    return [
      {
        code: outside ? 'outside-folder' : 'no-effect',
        message: outside
          ? 'an environment’s file lies beside or below the policy, never above it'
          : 'this file is named above',
        path: ['episodes', 'files', index],
        fix: outside ? 'Move it into the folder of the policy.' : 'Remove it.',
      },
    ];
  });
}
