import {
  type HistogramTest,
  learnHistogram,
  startHistogramTest,
  strongestEdge,
  updateHistogramTest,
} from '../../core/statistics/index.ts';
import { counted } from '../../core/text/index.ts';
import type { MetricEvidence } from '../analysis-verdict.ts';
import type { LatencyWindow } from './arm-window.ts';
import { addExposure, type Exposure, exposureProgress, noExposure, type ShareTest } from './exposure.ts';
import { type Demands, type Metric, percentText, shortNumber } from './metric.ts';
import type { LatencySettings } from './settings.ts';
import {
  calmNoise,
  compared,
  noComparison,
  noiseOf,
  type ShareComparison,
  shareDifference,
  shareOf,
  withNoise,
} from './share-comparison.ts';

export interface LatencyState {
  /** Chosen at the first window of both arms; the SLO's edge is among them. */
  readonly edges?: readonly number[];
  /** Seconds. */
  readonly sloEdge?: number;
  readonly test?: HistogramTest;
  readonly exposure: Exposure;
  readonly comparison: ShareComparison;
  /** Windows whose histograms did not have the edges. */
  readonly unlike: number;
}

/** The SLO's edge has so much of the evidence's weight; the others share the rest. */
const sloWeight = 0.6;
/**
 * Edges below this part of the SLO are not watched. Nobody waits for what happens there, and the arms do differ: a canary with a twentieth of the
 * traffic has colder caches and a busier core now and then, and takes 0.6 ms where the baseline takes 0.4.
 */
const leastEdge = 0.25;
/** More edges see no more: they only share the weight. */
const mostEdges = 7;
const quiet = Math.LN2;
/** Until it is measured: the share of slow requests varies from look to look by some two thirds. */
const presumedNoise = 0.5;

/** The share of requests over the SLO, and over any other edge of the histogram that is not far below it. */
export function latencyMetric(settings: LatencySettings): Metric<LatencyState> {
  const { maxShareIncrease, detectShareIncrease } = settings;
  const slo = settings.sloMs / 1000;
  const harmedShare: ShareTest['harmedShare'] = (share, severity) =>
    Math.min(0.99, share + maxShareIncrease + (detectShareIncrease - maxShareIncrease) * severity);
  return {
    name: 'latency',
    share: settings.share,
    start: () => ({ exposure: noExposure, comparison: noComparison, unlike: 0 }),
    learn(state, { latency }, early) {
      const begun = latency === undefined ? state : withEdges(state, [latency]);
      if (latency === undefined || begun.sloEdge === undefined || !has(latency, begun.edges)) return state;
      const comparison = withNoise(begun.comparison, slowOf(latency, begun.sloEdge));
      return early && begun.test !== undefined
        ? { ...begun, comparison, test: learnHistogram(begun.test, bucketsOf(latency, begun.edges ?? [])) }
        : { ...begun, comparison };
    },
    update(state, { canary, baseline }) {
      if (canary.latency === undefined || baseline.latency === undefined) return state;
      const { edges, sloEdge, test, ...rest } = withEdges(state, [canary.latency, baseline.latency]);
      if (edges === undefined || sloEdge === undefined || test === undefined) return state;
      if (!has(canary.latency, edges) || !has(baseline.latency, edges)) return { ...state, unlike: state.unlike + 1 };
      const slow = { canary: slowOf(canary.latency, sloEdge), baseline: slowOf(baseline.latency, sloEdge) };
      const prediction = calmNoise(rest.comparison.noise, presumedNoise);
      const window = { canary: bucketsOf(canary.latency, edges), baseline: bucketsOf(baseline.latency, edges) };
      const requests = { canary: slow.canary.requests, baseline: slow.baseline.requests };
      return {
        ...rest,
        edges,
        sloEdge,
        test: updateHistogramTest(test, window, prediction.variance),
        exposure: addExposure(rest.exposure, shareTestOf(test, sloEdge), requests, prediction),
        comparison: compared(rest.comparison, slow),
      };
    },
    evidence: evidenceOf,
  };

  function withEdges(state: LatencyState, windows: readonly LatencyWindow[]): LatencyState {
    if (state.edges !== undefined) return state;
    const [first, ...others] = windows;
    const shared = (first?.edges ?? []).filter((edge) => others.every((other) => other.edges.includes(edge)));
    const sloEdge = shared.find((edge) => edge >= slo * (1 - 1e-9)) ?? shared.at(-1);
    if (sloEdge === undefined) return state;
    const edges = thinned(
      shared.filter((edge) => edge >= Math.min(slo, sloEdge) * leastEdge),
      sloEdge,
    );
    const rest = edges.length > 1 ? (1 - sloWeight) / (edges.length - 1) : 0;
    const test = startHistogramTest({
      edges,
      weights: edges.map((edge) => (edge === sloEdge ? sloWeight : rest)),
      tolerance: { ratio: 1, difference: maxShareIncrease },
    });
    return { ...state, edges, sloEdge, test };
  }

  function shareTestOf(test: HistogramTest, sloEdge: number): ShareTest {
    const own = test.edges.find(({ edge }) => edge === sloEdge)?.test;
    const tolerance = { ratio: 1, difference: maxShareIncrease };
    return { tolerance, grid: own?.grid ?? [{ multiplier: 2, weight: 1 }], harmedShare };
  }

  function evidenceOf(state: LatencyState, demands: Demands): MetricEvidence {
    const { test, comparison, sloEdge } = state;
    const { canary, baseline } = comparison;
    const { threshold, power, severity } = demands;
    const common = {
      metric: 'latency',
      logEvidence: test?.highestLogE ?? 0,
      threshold,
      canary: { requests: canary.requests, events: canary.errors },
      baseline: { requests: baseline.requests, events: baseline.errors },
    };
    if (test === undefined || sloEdge === undefined || canary.requests === 0) {
      const why =
        state.unlike > 0
          ? 'the histograms of the arms have other edges than at first'
          : 'no window had latencies of both arms yet';
      return { ...common, says: 'no-data', message: why };
    }
    const difference = shareDifference(comparison, demands.falsePass);
    const shown = { ...common, effect: { kind: 'difference' as const, ...difference } };
    const { rate } = noiseOf(comparison);
    const shareTest = shareTestOf(test, sloEdge);
    const harmed = harmedShare(rate, severity);
    const own = test.edges.find(({ edge }) => edge === sloEdge)?.test;
    const keptBack = -Math.log1p(-(own?.lateShare ?? 0)) - Math.log(test.edges.length > 1 ? sloWeight : 1);
    const progress = exposureProgress(state.exposure, shareTest, rate, severity, { threshold, keptBack, power });
    const milliseconds = shortNumber(sloEdge * 1000);
    const shares = `${percentText(shareOf(canary))} of ${counted(canary.requests, 'canary request')} took more than ${milliseconds} ms, ${percentText(
      shareOf(baseline),
    )} of ${counted(baseline.requests, 'baseline request')}${edgeRemark(settings.sloMs, sloEdge)}`;
    if (test.highestLogE >= threshold) {
      const worst = strongestEdge(test);
      const where =
        worst.edge === sloEdge
          ? ''
          : `; most at ${shortNumber(worst.edge * 1000)} ms: ${percentText(worst.canaryShare)} against ${percentText(worst.baselineShare)}`;
      const message = `${shares}: shown to be slower by more than ${percentText(maxShareIncrease)} of the requests${where}`;
      return { ...shown, says: 'harm', message };
    }
    const quietEnough = test.logE < quiet;
    if (quietEnough && difference.upper <= harmed - rate) {
      return { ...shown, says: 'harmless', message: `${shares}: shown to be below ${percentText(harmed)}` };
    }
    if (quietEnough && progress >= 1 && shareOf(canary) < harmed) {
      const message = `${shares}: a share of ${percentText(harmed)} would have been shown with a chance of ${percentText(power)}`;
      return { ...shown, says: 'harmless', message };
    }
    const towards = `${Math.floor(Math.min(0.99, progress) * 100)} % of what it takes to exclude ${percentText(harmed)}`;
    return { ...shown, says: 'unsettled', message: `${shares}: ${towards}` };
  }
}

/** Empty where the SLO is an edge. */
function edgeRemark(sloMs: number, edge: number): string {
  const edgeMs = edge * 1000;
  if (Math.abs(edgeMs - sloMs) <= sloMs * 1e-6) return '';
  const where = edgeMs > sloMs ? 'the next edge above' : 'the last edge below';
  return ` (the SLO of ${shortNumber(sloMs)} ms is no edge of the histogram; this is ${where})`;
}

/** The SLO's edge and, evenly over the rest, as many as there is room for. */
function thinned(edges: readonly number[], sloEdge: number): readonly number[] {
  const others = edges.filter((edge) => edge !== sloEdge);
  const room = mostEdges - 1;
  const step = Math.max(1, others.length / room);
  const kept = Array.from({ length: Math.min(room, others.length) }, (_, index) => others[Math.floor(index * step)]);
  return edges.filter((edge) => edge === sloEdge || kept.includes(edge));
}

function has(window: LatencyWindow, edges: readonly number[] | undefined): boolean {
  return edges?.every((edge) => window.edges.includes(edge)) ?? false;
}

/** By bucket between the chosen edges, and one above all of them. */
function bucketsOf(window: LatencyWindow, edges: readonly number[]): readonly number[] {
  const below = edges.map((edge) => window.cumulative[window.edges.indexOf(edge)] ?? 0);
  return [...below, window.count].map((count, index) => count - (below[index - 1] ?? 0));
}

function slowOf(window: LatencyWindow, edge: number): { readonly requests: number; readonly errors: number } {
  const fast = window.cumulative[window.edges.indexOf(edge)] ?? window.count;
  return { requests: window.count, errors: window.count - fast };
}
