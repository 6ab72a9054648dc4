import type { Progress } from '../../../core/host/index.ts';
import type { Outputs } from '../../../core/onnx/index.ts';
import { type Acting, Actor, type Decision } from './actor.ts';
import type { Environment, Observation } from './environment-protocol.ts';

/** One episode as it was played. */
export interface Episode {
  readonly seed: number;
  /** The sum of its rewards. */
  readonly reward: number;
  readonly steps: number;
  readonly violations: number;
  /** The first violation, in the environment's words or ours. */
  readonly violation?: string;
}

export interface Play {
  readonly count: number;
  readonly seed: number;
  readonly maxSteps: number;
  /** Outputs to ask for beside the action. */
  readonly names?: readonly string[];
  /** Sees the outputs of `rows` steps; `first` counts from 1 through all that were played. */
  readonly onSteps?: (outputs: Outputs, rows: number, first: number) => void;
  readonly progress?: Progress;
  /** Ends the play between two steps. */
  readonly signal?: AbortSignal;
}

/** Episodes at once at most, whatever the environment could hold. */
const mostSlots = 64;

/**
 * Plays episodes, the first with `seed`, each next with the next number; as many at once as the environment has slots, the model run on all their
 * observations together. Throws a `PeerError` for an environment that does not keep to the protocol, a `ModelError` for a model that does not
 * fit it.
 */
export async function playEpisodes(of: Acting, environment: Environment, play: Play): Promise<readonly Episode[]> {
  const actor = new Actor(of, environment.facts.action);
  const names = [...new Set([actor.output, ...(play.names ?? [])])];
  const over: EpisodeInPlay[] = [];
  let next = 0;
  let played = 0;
  let inPlay: readonly EpisodeInPlay[] = [];
  const begin = async (slots: readonly number[]): Promise<readonly EpisodeInPlay[]> => {
    const starting = slots.slice(0, play.count - next).map((slot) => ({ slot, seed: play.seed + next++ }));
    const observations = await environment.reset(starting);
    return starting.map(({ slot, seed }, index) => new EpisodeInPlay(slot, seed, observations[index]));
  };
  const slots = Math.min(environment.facts.slots, mostSlots, play.count);
  inPlay = await begin(Array.from({ length: slots }, (_, slot) => slot));
  while (inPlay.length > 0) {
    play.signal?.throwIfAborted();
    const decisions: Decision[] = [];
    for (const { feeds, rows } of actor.batches(inPlay.map(({ observation }) => observation))) {
      const outputs = await of.model.run(feeds, names);
      play.onSteps?.(outputs, rows, played + 1);
      played += rows;
      decisions.push(...actor.decide(outputs, rows));
    }
    const steps = await environment.step(
      inPlay.map(({ slot }, index) => ({ slot, action: decisions[index]?.action ?? 0 })),
    );
    for (const [index, episode] of inPlay.entries()) {
      const step = steps[index];
      if (step === undefined) continue;
      const wrong = decisions[index]?.violation;
      episode.observation = step.observation;
      episode.reward += step.reward;
      episode.steps++;
      episode.violations += step.violations.length + (wrong === undefined ? 0 : 1);
      episode.violation ??= wrong ?? step.violations[0];
      episode.over = step.terminated || step.truncated || episode.steps >= play.maxSteps;
    }
    const ended = inPlay.filter((episode) => episode.over);
    if (ended.length === 0) continue;
    over.push(...ended);
    const begun = await begin(ended.map(({ slot }) => slot));
    inPlay = [...inPlay.filter((episode) => !episode.over), ...begun];
    play.progress?.update(over.length, play.count);
  }
  return over
    .toSorted((one, other) => one.seed - other.seed)
    .map(({ seed, reward, steps, violations, violation }) => ({
      seed,
      reward,
      steps,
      violations,
      ...(violation === undefined ? {} : { violation }),
    }));
}

class EpisodeInPlay {
  readonly slot: number;
  readonly seed: number;
  observation: Observation;
  reward = 0;
  steps = 0;
  violations = 0;
  violation: string | undefined;
  over = false;

  constructor(slot: number, seed: number, observation: Observation = { values: [], shape: [] }) {
    this.slot = slot;
    this.seed = seed;
    this.observation = observation;
  }
}
