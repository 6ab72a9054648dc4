import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { servingProfileNames } from '../../../core/telemetry/index.ts';
import { isAlert, type RuleGroup, secondsOf, servingRules } from '../index.ts';

const full = servingRules({
  profile: 'sluice',
  selector: { model: 'churn', namespace: 'shop' },
  drift: { accuracy: 0.9 },
  gpu: {},
  reward: {},
});

function alertsOf(groups: readonly RuleGroup[]) {
  return groups.flatMap(({ rules }) => rules.filter(isAlert));
}
function boundOf(alert: string): string {
  return alertsOf(full.groups).find((each) => each.alert === alert)?.expr ?? '';
}

describe('the rules of a model server', () => {
  test('burn error budgets at the rates of the Site Reliability Workbook', () => {
    expect(boundOf('ModelErrorsBurnFast')).toMatch(
      /ratio_rate1h\{[^}]+\} > 0\.0144 and model:request_errors:ratio_rate5m/,
    );
    expect(boundOf('ModelErrorsBurnSteady')).toMatch(
      /ratio_rate6h\{[^}]+\} > 0\.006 and model:request_errors:ratio_rate30m/,
    );
    expect(boundOf('ModelErrorsBurnSlow')).toMatch(
      /ratio_rate3d\{[^}]+\} > 0\.001 and model:request_errors:ratio_rate6h/,
    );
    expect(boundOf('ModelLatencyBurnFast')).toContain('> 0.144 ');
  });

  test('follow the objective and its period', () => {
    const { groups } = servingRules({ profile: 'sluice', serviceLevel: { availability: 0.99, period: '15d' } });
    expect(alertsOf(groups).find(({ alert }) => alert === 'ModelErrorsBurnFast')?.expr).toContain('> 0.072 ');
  });

  test('say of every alert what it is, how bad it is and what to do', () => {
    for (const { alert, labels, annotations } of alertsOf(full.groups)) {
      expect([alert, annotations.summary.length]).toEqual([alert, expect.any(Number)]);
      for (const text of [annotations.summary, annotations.description, annotations.runbook])
        expect(text).toMatch(/^[A-Z].{15,}/);
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
    }
  });

  test.each(servingProfileNames)(
    'of %s have each name once, record before they read, and say what is not there',
    (profile) => {
      const { groups, absent } = servingRules({ profile, selector: { namespace: 'shop' }, gpu: {}, reward: {} });
      const names = alertsOf(groups).map(({ alert }) => alert);
      expect(new Set([...names, ...absent.map(({ alert }) => alert)]).size).toBe(names.length + absent.length);
      const groupNames = groups.map(({ name }) => name);
      expect(new Set(groupNames).size).toBe(groupNames.length);
      for (const { rules } of groups) {
        const recorded = new Set<string>();
        for (const rule of rules) {
          for (const [name] of rule.expr.matchAll(/model:[a-z_]+:[a-z_]+\d+[a-z]+/g))
            expect([...recorded]).toContain(name);
          if (!isAlert(rule)) recorded.add(rule.record);
        }
      }
      for (const { reason, fix } of absent) expect([reason, fix]).not.toContain('');
    },
  );

  test('are the same for the same options, and leave out what was not asked for', () => {
    expect(servingRules({ profile: 'triton' })).toEqual(servingRules({ profile: 'triton' }));
    const names = servingRules({ profile: 'sluice', drift: false }).groups.map(({ name }) => name);
    expect(names).toEqual(['sluice-errors', 'sluice-latency', 'sluice-rollout']);
  });

  test('carry the labels for routing and the address of the runbook', () => {
    const { groups } = servingRules({
      profile: 'sluice',
      labels: { team: 'risk' },
      runbookUrl: 'https://wiki.example/alerts',
    });
    for (const { alert, labels, annotations } of alertsOf(groups)) {
      expect(labels).toMatchObject({ team: 'risk' });
      expect(annotations.runbook_url).toBe(`https://wiki.example/alerts#${alert.toLowerCase()}`);
    }
  });

  test('have a heading each in the README, in which nothing else is explained', () => {
    const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
    const headings = [...readme.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(
      alertsOf(full.groups)
        .map(({ alert }) => alert)
        .toSorted(),
    );
    for (const { alert, labels } of alertsOf(full.groups))
      expect(readme).toContain(`### ${alert}\n${labels.severity}. `);
  });

  test('read durations as Prometheus does', () => {
    expect(['90s', '1h30m', '3d', '250ms'].map(secondsOf)).toEqual([90, 5400, 259_200, 0.25]);
    expect(['', '5', 'm', '1.5h', '5m '].map(secondsOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
