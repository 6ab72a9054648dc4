/**
 * The rules before Prometheus' own tool: they are sound, every alert fires when it should and stays silent when it should.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlert, type RuleGroup, servingDashboard, servingRules } from '../../constructs/dashboards/index.ts';
import { recordedSeries, servingMetrics, servingProfileNames } from '../../core/telemetry/index.ts';
import { promtoolBinary } from '../prometheus/prometheus-binary.ts';
import { alertCases, judged } from './alert-cases.ts';
import { filledIn } from './prometheus-questions.ts';
import { checkRules, testRules } from './promtool-rules.ts';

const { groups } = servingRules(judged);
const alerts = groups.flatMap(({ rules }) => rules.filter(isAlert).map(({ alert }) => alert));

// Building promtool takes minutes, once.
beforeAll(async () => void (await promtoolBinary()), 1_800_000);

/** The group an alert is in: evaluating the others would only take time. */
function groupOf(alert: string): readonly RuleGroup[] {
  return groups.filter(({ rules }) => rules.some((rule) => isAlert(rule) && rule.alert === alert));
}

describe('promtool check rules', () => {
  test.each(servingProfileNames)('finds nothing wrong with the rules of %s', async (profile) => {
    const everything = servingRules({
      profile,
      selector: { namespace: 'shop' },
      drift: { accuracy: 0.9 },
      gpu: {},
      reward: {},
    });
    expect(await checkRules(everything.groups)).toBe('');
  });

  test.each(servingProfileNames)('parses every expression of the dashboard of %s', async (profile) => {
    const panels = servingDashboard({ profile, reward: true }).content.rows.flatMap((row) => row.panels);
    const rules = panels
      .flatMap(({ queries }) => queries)
      .map(({ expr }, index) => ({ record: `panel:${index}`, expr: filledIn(expr, { namespace: 'shop' }) }));
    expect(rules.length).toBeGreaterThan(15);
    expect(await checkRules([{ name: 'dashboard', rules }])).toBe('');
  });

  test('would find a rule that is none', async () => {
    expect(await checkRules([{ name: 'broken', rules: [{ record: 'a:b', expr: 'sum(' }] }])).toContain('parse error');
  });
});

describe('every alert', () => {
  test('has cases in which it fires and in which it stays silent', () => {
    const named = (fires: boolean) =>
      new Set(alertCases.filter((each) => each.fires === fires).map(({ alert }) => alert));
    expect([...named(true)].toSorted()).toEqual(alerts.toSorted());
    expect([...named(false)].toSorted()).toEqual(alerts.toSorted());
  });

  test.each(alertCases.map((each) => ({ ...each, does: each.fires ? 'fires' : 'stays silent' })))(
    '$alert $does when $when',
    async ({ alert, fires, series, at, ...steps }) => {
      const firing = `count(count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"}))`;
      const samples = fires ? [{ labels: '{}', value: 1 }] : [];
      expect(await testRules(groupOf(alert), steps, series, [{ expr: firing, at, samples }])).toBe('');
    },
  );
});

describe('the recorded drift of predictions', () => {
  /** Two classes; the share of the first one over two days, then now. */
  const answered = (before: number, now: number) =>
    (['yes', 'no'] as const).map((name) => {
      const of = (share: number) => Math.round(1000 * (name === 'yes' ? share : 1 - share));
      return [
        `${servingMetrics.predictionClass.name}{namespace="shop",model_name="churn",model_version="1",output="label",class="${name}"}`,
        `0+${of(before)}x600 ${of(before) * 600}+${of(now)}x100`,
      ] as const;
    });

  test('is the population stability index and the Kullback-Leibler divergence of the shares', async () => {
    const [q, p] = [
      [0.5, 0.5],
      [0.7, 0.3],
    ] as const;
    const psi = p.reduce((sum, share, bin) => sum + (share - (q[bin] ?? 0)) * Math.log(share / (q[bin] ?? 0)), 0);
    const kl = p.reduce((sum, share, bin) => sum + share * Math.log(share / (q[bin] ?? 0)), 0);
    const billionths = (name: 'predictionPsi' | 'predictionKl') => `round(${recordedSeries(name, '1h')} * 1e9)`;
    const labels = '{namespace="shop", model_name="churn", model_version="1", output="label"}';
    expect(
      await testRules(groupOf('ModelPredictionsDrifted'), { interval: '5m', evaluation: '5m' }, answered(0.5, 0.7), [
        { expr: billionths('predictionPsi'), at: '52h', samples: [{ labels, value: Math.round(psi * 1e9) }] },
        { expr: billionths('predictionKl'), at: '52h', samples: [{ labels, value: Math.round(kl * 1e9) }] },
        { expr: `sum(${recordedSeries('predictionShare', '1h')})`, at: '52h', samples: [{ labels: '{}', value: 1 }] },
      ]),
    ).toBe('');
  });
});
