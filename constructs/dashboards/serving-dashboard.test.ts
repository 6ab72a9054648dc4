import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { servingProfileNames, servingProfiles } from '../../core/telemetry/index.ts';
import { lintDashboard, lintExclusions } from './dashboard-lint.ts';
import { servingDashboard } from './index.ts';

const every = servingProfileNames.map((profile) => ({ profile }));
const golden = join(import.meta.dirname, 'golden');

/** Panels of a content, by title. */
function titlesOf(profile: (typeof servingProfileNames)[number]): readonly string[] {
  return servingDashboard({ profile, reward: true }).content.rows.flatMap(({ panels }) =>
    panels.map(({ title }) => title),
  );
}

describe("a model server's dashboard", () => {
  test.each(every)('of $profile is the golden one', ({ profile }) => {
    const text = `${JSON.stringify(servingDashboard({ profile, reward: profile === 'sluice' }).json, undefined, 2)}\n`;
    const file = join(golden, `${profile}.json`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      mkdirSync(golden, { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  test.each(every)('of $profile breaks no rule of the linter that it does not name', ({ profile }) => {
    const { content, json } = servingDashboard({ profile, reward: true });
    const { exclusions } = lintExclusions(content);
    const findings = lintDashboard(json).filter(
      ({ rule, panel }) => exclusions[rule]?.entries.some((entry) => entry.panel === panel) !== true,
    );
    expect(findings).toEqual([]);
  });

  test.each(every)('of $profile fits into one kubectl apply, and has each id, title and place once', ({ profile }) => {
    const { json, content } = servingDashboard({ profile, reward: true });
    expect(Buffer.byteLength(JSON.stringify(json))).toBeLessThan(131_072);
    const titles = content.rows.flatMap(({ panels }) => panels.map(({ title }) => title));
    expect(new Set(titles).size).toBe(titles.length);
    const shape = json as unknown as {
      panels: {
        id: number;
        type: string;
        gridPos: { x: number; y: number; w: number; h: number };
        panels?: { id: number }[];
      }[];
    };
    const ids = shape.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map(({ id }) => id)]);
    expect(ids.toSorted((one, other) => one - other)).toEqual(ids.map((_, index) => index + 1));
    const cells = shape.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  test.each(every)('of $profile says of every panel it leaves out what to do instead', ({ profile }) => {
    for (const absent of servingDashboard({ profile }).absent) expect(absent).toMatch(/^[A-Z][^:]*: .+\. .+/);
  });

  test('shows everything a release is judged by', () => {
    expect(titlesOf('sluice')).toEqual(
      expect.arrayContaining([
        'Request rate',
        'Error rate',
        'Latency',
        'Accuracy',
        'Prediction drift (PSI)',
        'Prediction drift (KL)',
        'Input drift (PSI)',
        'GPU load',
        'GPU memory',
        'Processor time of the pods',
        'Network of the pods',
        'Reward',
        'Episode length',
        'Errors: canary minus baseline',
      ]),
    );
  });

  test('has no panel that its server could never fill', () => {
    expect(titlesOf('vllm')).toContain('Time to the first token');
    expect(titlesOf('sluice')).not.toContain('Time to the first token');
    expect(titlesOf('triton')).not.toContain('Cache hits');
    expect(servingProfiles.triton.inFlight).toBeUndefined();
    expect(servingDashboard({ profile: 'triton' }).absent.join('\n')).toContain('Requests in flight: ');
  });

  test('marks the steps of rollouts on every panel, by the tags rollouts write', () => {
    expect(servingDashboard({ profile: 'sluice' }).json).toMatchObject({
      annotations: {
        list: [
          { name: 'Rollouts', enable: true, target: { type: 'tags', tags: ['sluice', 'canary'], matchAny: false } },
        ],
      },
    });
  });
});

describe('the linter', () => {
  const { json } = servingDashboard({ profile: 'sluice' });
  const text = JSON.stringify(json);
  test.each([
    ['uneditable-dashboard', '"editable":false', '"editable":true'],
    ['template-datasource-rule', '"label":"Data source"', '"label":"Source"'],
    ['template-job-rule', '"allValue":".+"', '"allValue":".*"'],
    ['template-on-time-change-reload-rule', '"refresh":2', '"refresh":1'],
    ['template-label-promql-rule', 'label_values(', 'values('],
    ['panel-datasource-rule', '"$datasource"', '"prod"'],
    ['panel-title-description-rule', '"title":"Request rate"', '"title":""'],
    ['panel-units-rule', '"unit":"reqps"', '"unit":"requests"'],
    ['panel-no-targets-rule', '"targets":', '"others":'],
    ['target-job-rule', 'job=~\\"$job\\"', 'job=\\"shop\\"'],
    ['target-instance-rule', 'instance=~\\"$instance\\"', 'instance=\\"shop\\"'],
    ['target-rate-interval-rule', '$__rate_interval', '5m'],
    ['target-counter-agg-rule', '[$__rate_interval]', ''],
    ['target-promql-rule', 'sum by (model_version) (', 'sum by (model_version) (('],
    ['target-ref-id', '"refId":"A"', '"refId":""'],
  ])('finds a dashboard that breaks %s', (rule, right, wrong) => {
    expect(text).toContain(right);
    expect(lintDashboard(JSON.parse(text.replaceAll(right, wrong)) as object).map((finding) => finding.rule)).toContain(
      rule,
    );
  });
});
