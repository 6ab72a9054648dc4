import type { Host } from '../../../core/host/index.ts';
import { rowMean, type ValueSample } from '../../../core/metrics/index.ts';
import type { Model } from '../../../core/onnx/index.ts';
import { durationMs, type EffectivePolicy, type EpisodesPolicy, policyDefaults } from '../../../core/policy/index.ts';
import { describeProblem, SluiceError } from '../../../core/problem/index.ts';
import type { Check, Figure, Notice } from '../../../core/report/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { BaseFiles } from '../../../github/index.ts';
import type { Demand } from '../bound-check.ts';
import { unjudged } from '../bound-check.ts';
import { tried } from '../candidate-and-baseline.ts';
import { guardrailsOf } from '../guardrail-gate.ts';
import type { MetricIntervals, Pair } from '../measured-metric.ts';
import { checksOfMetric, type GatedMetric, unjudgedMetric } from '../metric-gate.ts';
import { metricIntervals } from '../metric-interval.ts';
import { counted, numberText } from '../number-text.ts';
import { neverCertain, neverCertainOfNoChange } from '../resampled-metrics.ts';
import type { NoBaseline } from '../subject.ts';
import type { Acting } from './actor.ts';
import { type EnvironmentFolder, layOutEnvironment } from './environment-files.ts';
import { EnvironmentProcess } from './environment-process.ts';
import { Environment, type EnvironmentFacts } from './environment-protocol.ts';
import { type Episode, type Play, playEpisodes } from './play-episodes.ts';

export interface EpisodeJudgement {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
}

export interface Players {
  readonly directory: string;
  readonly base: BaseFiles | undefined;
  readonly candidate: Model;
  readonly path: string;
  /** Absent when there is none. */
  readonly baseline: { readonly model: Model; readonly path: string } | undefined;
  readonly noBaseline: NoBaseline;
  readonly host: Host;
}

const reward: GatedMetric = {
  name: 'episode_reward',
  id: 'gate/episode_reward',
  path: ['gates', 'episode_reward'],
  better: 'higher',
  unit: 'none',
};
const steps: GatedMetric = {
  name: 'episode_length',
  id: 'gate/episode_length',
  path: ['gates', 'episode_length'],
  better: 'higher',
  unit: 'none',
};

/**
 * Plays the policy's episodes with candidate and baseline, on the same seeds, and judges mean reward, length and violations, and the
 * guardrails on what the candidate's outputs were. An environment that fails, or a model that does not fit it, makes these checks errors and
 * nothing else.
 */
export async function judgeEpisodes(policy: EffectivePolicy, players: Players): Promise<EpisodeJudgement> {
  const { episodes: wanted, gates } = policy.policy;
  if (wanted === undefined || gates === undefined) return { checks: [], figures: [], notices: [] };
  const guardrails = guardrailsOf(policy, players.candidate, 'step');
  const place = policy.placeOf(['episodes', 'command']);
  const candidate: Acting = { model: players.candidate, path: players.path, place, output: wanted.output };
  const ofBase = policy.base?.episodes ?? wanted;
  const baseline: Acting | undefined =
    players.baseline === undefined ? undefined : { ...players.baseline, place, output: ofBase.output };
  const result = await played(policy, players, wanted, candidate, baseline, {
    names: guardrails.names,
    onSteps: (outputs, rows, first) =>
      guardrails.take(outputs, { given: rows, count: rows, rowAt: (entry) => first + entry }),
  });
  if ('why' in result) return { checks: unjudgedAll(policy, result.why), figures: [], notices: result.notices };
  const { facts, ofCandidate, ofBaseline, noBaseline, sameModel, notices } = result;

  const certainty = {
    level: policy.policy.evidence ?? policyDefaults.evidence,
    seed: `${players.candidate.facts.sha256} ${wanted.seed ?? policyDefaults.episodes.seed}`,
  };
  const judged = (
    metric: GatedMetric,
    bound: typeof gates.episode_reward,
    of: (episode: Episode) => number,
    returns: EnvironmentFacts['returns'],
  ) => {
    if (bound === undefined) return [];
    const sampleOf = (all: readonly Episode[]): ValueSample => {
      const values = Float64Array.from(all, of);
      return { task: 'regression', actual: new Float64Array(values.length), predicted: values };
    };
    const pair = {
      candidate: sampleOf(ofCandidate),
      ...(ofBaseline === undefined ? {} : { baseline: sampleOf(ofBaseline), sameModel }),
    };
    const measured = measuredMean(metric, pair, certainty, returns);
    return checksOfMetric(metric, bound, measured, { policy, pair, noBaseline, unit: 'episode' });
  };
  return {
    checks: [
      ...judged(reward, gates.episode_reward, (episode) => episode.reward, facts.returns),
      ...judged(steps, gates.episode_length, (episode) => episode.steps, undefined),
      ...violationChecks(policy, ofCandidate),
      ...guardrails.checks('[episodes]'),
    ],
    figures: [rewardFigure(ofCandidate, ofBaseline)],
    notices: [
      ...notices,
      {
        level: 'notice',
        message: `${counted(ofCandidate.length, 'episode')} of ${excerpt(facts.name, 60)} were played, from seed ${ofCandidate[0]?.seed ?? 0} on, in ${counted(
          ofCandidate.reduce((sum, episode) => sum + episode.steps, 0),
          'step',
        )}.`,
      },
    ],
  };
}

interface Played {
  readonly facts: EnvironmentFacts;
  readonly ofCandidate: readonly Episode[];
  readonly ofBaseline: readonly Episode[] | undefined;
  readonly noBaseline: NoBaseline;
  /** They are one file, read alike. */
  readonly sameModel: boolean;
  readonly notices: readonly Notice[];
}

async function played(
  policy: EffectivePolicy,
  { directory, base, noBaseline, host }: Players,
  wanted: EpisodesPolicy,
  candidate: Acting,
  baseline: Acting | undefined,
  watched: Pick<Play, 'names' | 'onSteps'>,
): Promise<Played | { readonly why: string; readonly notices: readonly Notice[] }> {
  const folder = await attempted(() => layOutEnvironment(wanted, policy, directory, base));
  if ('why' in folder) return { ...folder, notices: [] };
  await using laidOut: EnvironmentFolder = folder;
  const { notices } = laidOut;
  const { episodes: defaults } = policyDefaults;
  const { count = defaults.count, seed = defaults.seed, max_steps: maxSteps = defaults.max_steps } = wanted;
  const deadline = performance.now() + (durationMs(wanted.deadline ?? defaults.deadline) ?? 0);
  const stop = new AbortController();
  const play = async (of: Acting, rest: Partial<Play>) => {
    const process = new EnvironmentProcess({
      command: wanted.command,
      directory: laidOut.directory,
      place: of.place,
      answerMilliseconds: durationMs(wanted.timeout ?? defaults.timeout) ?? 0,
      deadline,
      memoryBytes: (wanted.memory_mb ?? defaults.memory_mb) * 1e6,
    });
    await using environment = await Environment.open(process);
    const episodes = await playEpisodes(of, environment, { count, seed, maxSteps, signal: stop.signal, ...rest });
    return { episodes, facts: environment.facts };
  };
  const sameModel =
    baseline !== undefined &&
    baseline.output === candidate.output &&
    baseline.model.facts.sha256 === candidate.model.facts.sha256 &&
    JSON.stringify(baseline.model.facts.externalFiles) === JSON.stringify(candidate.model.facts.externalFiles);

  host.info(`Play ${counted(count, 'episode')} with each model: ${excerpt(wanted.command.join(' '), 120)}`);
  const progress = host.progress(`Play episodes with ${excerpt(candidate.path, 60)}`);
  try {
    // Side by side, each in an environment of its own. Where the candidate fails there is nothing to compare the baseline with.
    const [mine, other] = await Promise.all([
      attempted(() => play(candidate, { ...watched, progress }))
        .finally(() => progress.end())
        .then((result) => {
          if ('why' in result) stop.abort();
          return result;
        }),
      baseline === undefined || sameModel
        ? undefined
        : tried(() => play(baseline, {})).catch(abortedQuietly(stop.signal)),
    ]);
    if ('why' in mine) return { why: mine.why, notices };
    const frame = { facts: mine.facts, ofCandidate: mine.episodes, sameModel, notices };
    if (sameModel) return { ...frame, ofBaseline: mine.episodes, noBaseline };
    if (other === undefined) return { ...frame, ofBaseline: undefined, noBaseline };
    if ('kind' in other) return { ...frame, ofBaseline: undefined, noBaseline: other };
    return { ...frame, ofBaseline: other.episodes, noBaseline };
  } finally {
    progress.end();
  }
}

/** The result, or why it could not be had where that is for a reason of the user's. */
async function attempted<Result extends object>(
  work: () => Promise<Result>,
): Promise<Result | { readonly why: string }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { why: `The episodes cannot be judged: ${describeProblem(error.problems[0]).replace(/\.$/, '')}` };
  }
}

function abortedQuietly(signal: AbortSignal): (error: unknown) => NoBaseline {
  return (error) => {
    if (!signal.aborted) throw error;
    return { kind: 'unusable', why: 'The candidate could not play' };
  };
}

/** The mean over episodes and of its change, paired by seed. Equal returns at an end of their known range are not certain either. */
function measuredMean(
  { id, better }: GatedMetric,
  pair: Pair<ValueSample>,
  certainty: { readonly level: number | 'off'; readonly seed: string },
  returns: EnvironmentFacts['returns'],
): MetricIntervals {
  const measured = metricIntervals([{ metric: rowMean(id, better), options: {} }], pair, certainty).get(id);
  if (measured === undefined) throw new TypeError(`${id} was not measured`);
  if (certainty.level === 'off' || returns === undefined) return measured;
  const { candidate, difference, relative, baseline } = measured;
  const same = pair.sameModel === true;
  return {
    ...measured,
    candidate: neverCertain(candidate, returns),
    ...(difference === undefined || same ? {} : { difference: neverCertainOfNoChange(difference, returns, 1) }),
    ...(relative === undefined || baseline === undefined || same
      ? {}
      : { relative: neverCertainOfNoChange(relative, returns, Math.abs(baseline)) }),
  };
}

/** Episodes with a violation that are shown. */
const mostShown = 20;

function violationDemand(policy: EffectivePolicy): Demand | undefined {
  const bound = policy.policy.gates?.episode_violations;
  if (bound === undefined) return undefined;
  const { mostly = policyDefaults.mostly, severity, reason } = bound;
  return {
    id: 'gate/episode_violations',
    title:
      mostly === 1 ? 'no episode has violations' : `${numberText(mostly * 100)} % of the episodes have no violations`,
    bound: { kind: 'must_hold', value: 'no violations' },
    unit: 'none',
    severity,
    reason,
    place: policy.placeOf(['gates', 'episode_violations']),
  };
}

function violationChecks(policy: EffectivePolicy, episodes: readonly Episode[]): readonly Check[] {
  const demand = violationDemand(policy);
  if (demand === undefined) return [];
  const { id, title, bound, unit, place, severity, reason } = demand;
  const mostly = policy.policy.gates?.episode_violations?.mostly ?? policyDefaults.mostly;
  const broken = episodes.flatMap((episode, index) =>
    episode.violations === 0 ? [] : [{ ...episode, row: index + 1 }],
  );
  const holds = episodes.length - broken.length >= mostly * episodes.length - 1e-9;
  const [first] = broken;
  const said = [
    first === undefined
      ? `None of ${counted(episodes.length, 'episode')} has a violation`
      : `${counted(broken.length, 'episode')} of ${episodes.length} ${broken.length === 1 ? 'has' : 'have'} violations, ${counted(
          broken.reduce((sum, { violations }) => sum + violations, 0),
          'violation',
        )} in all; the first with seed ${first.seed}: ${excerpt(first.violation ?? '', 120)}`,
    ...(holds || reason === undefined ? [] : [`The bound's reason: ${reason}`]),
  ];
  return [
    {
      id,
      title,
      section: 'gate',
      status: holds ? 'pass' : severity === 'warn' ? 'warn' : 'fail',
      message: said.map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`)).join(' '),
      bound,
      unit,
      ...(first === undefined
        ? {}
        : {
            failing: {
              total: broken.length,
              columns: ['seed', 'violations', 'first'],
              rows: broken.slice(0, mostShown).map(({ row, seed, violations, violation }) => ({
                row,
                values: [String(seed), String(violations), violation ?? null],
              })),
            },
          }),
      place,
    },
  ];
}

function unjudgedAll(policy: EffectivePolicy, why: string): readonly Check[] {
  const { episode_reward, episode_length, guardrails = [] } = policy.policy.gates ?? {};
  const violations = violationDemand(policy);
  return [
    ...(episode_reward === undefined ? [] : unjudgedMetric(reward, episode_reward, { policy }, why)),
    ...(episode_length === undefined ? [] : unjudgedMetric(steps, episode_length, { policy }, why)),
    ...(violations === undefined ? [] : [unjudged(violations, why)]),
    ...guardrails.map(({ output }, index) =>
      unjudged(
        {
          id: `gate/guardrail/${output}[episodes]`,
          title: `${excerpt(output, 60)} keeps to its guardrail`,
          bound: { kind: 'must_hold', value: 'in every step' },
          unit: 'none',
          place: policy.placeOf(['gates', 'guardrails', index]),
        },
        why,
      ),
    ),
  ];
}

const bars = 20;

/** How the rewards are spread, both models over the same bars. */
function rewardFigure(candidate: readonly Episode[], baseline: readonly Episode[] | undefined): Figure {
  const all = [...candidate, ...(baseline ?? [])].map((episode) => episode.reward);
  const least = all.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = all.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const width = most > least ? (most - least) / bars : 1;
  const edges = Array.from({ length: bars + 1 }, (_, index) => least + index * width);
  const seriesOf = (name: string, episodes: readonly Episode[]) => {
    const counts = new Array<number>(bars).fill(0);
    for (const { reward: value } of episodes) {
      const bar = Math.min(bars - 1, Math.floor((value - least) / width));
      counts[bar] = (counts[bar] ?? 0) + 1;
    }
    return { name, edges, counts };
  };
  return {
    kind: 'histogram',
    id: 'episode-reward',
    title: 'Reward of an episode',
    series: [seriesOf('candidate', candidate), ...(baseline === undefined ? [] : [seriesOf('baseline', baseline)])],
  };
}
