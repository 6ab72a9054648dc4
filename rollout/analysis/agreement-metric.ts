import {
  type ErrorTest,
  estimateNoise,
  type NoiseRecord,
  noNoiseRecord,
  recordNoise,
  shareConfidenceSequence,
  startErrorTest,
  updateErrorTest,
} from '../../core/statistics/index.ts';
import { counted } from '../../core/text/index.ts';
import { type Metric, percentText } from './metric.ts';
import type { AgreementSettings } from './settings.ts';
import { calmNoise } from './share-comparison.ts';

export interface AgreementState {
  readonly test: ErrorTest;
  readonly noise: NoiseRecord;
  readonly compared: number;
  readonly agreed: number;
}

/** A test of one arm alone: the other's stake is nothing. */
const noOther = { requests: 1, errors: 0 };
/** Until it is measured. */
const presumedNoise = 0.5;

/** How often the canary answers a copied request as the baseline did: one share, held to a bound. */
export function agreementMetric({ share, min, detect }: AgreementSettings): Metric<AgreementState> {
  return {
    name: 'agreement',
    share,
    start: () => ({
      test: startErrorTest({ tolerance: { ratio: 0, difference: 1 - min } }),
      noise: noNoiseRecord,
      compared: 0,
      agreed: 0,
    }),
    learn: (state) => state,
    update(state, { canary }) {
      const found = new Map(canary.means).get('agreement');
      if (found === undefined || found.count === 0) return state;
      const agreed = Math.min(found.count, Math.max(0, found.sum));
      const window = { requests: found.count, errors: found.count - agreed };
      // Its own noise, from windows before this one: the baseline does not agree with itself.
      const { variance } = calmNoise(state.noise, presumedNoise);
      return {
        test: updateErrorTest(state.test, { canary: window, baseline: noOther }, { rate: 1 - min, variance }),
        noise: recordNoise(state.noise, window),
        compared: state.compared + found.count,
        agreed: state.agreed + agreed,
      };
    },
    evidence({ test, noise, compared, agreed }, { threshold, falsePass, severity }) {
      const common = {
        metric: 'agreement',
        logEvidence: test.highestLogE,
        threshold,
        canary: { requests: compared, events: compared - agreed },
        baseline: { requests: compared, events: 0 },
      };
      if (compared === 0) return { ...common, says: 'no-data', message: 'no answers of both arms were compared yet' };
      const { inflation } = estimateNoise(noise);
      const { lower, upper } = shareConfidenceSequence(agreed / inflation, compared / inflation, falsePass);
      const estimate = agreed / compared;
      // As shares that disagree: what harms is above, as in every effect.
      const effect = { kind: 'share' as const, estimate: 1 - estimate, lower: 1 - upper, upper: 1 - lower };
      const shown = { ...common, effect };
      const said = `${percentText(estimate)} of ${counted(compared, 'compared answer')} agree`;
      if (test.highestLogE >= threshold) {
        return { ...shown, says: 'harm', message: `${said}: shown to be less than ${percentText(min)}` };
      }
      const excluded = Math.max(0.01, min - (min - detect) * severity);
      if (lower >= excluded) {
        return { ...shown, says: 'harmless', message: `${said}: shown to be more than ${percentText(excluded)}` };
      }
      const message = `${said}; at least ${percentText(lower)}, and less than ${percentText(excluded)} has to be excluded`;
      return { ...shown, says: 'unsettled', message };
    },
  };
}
