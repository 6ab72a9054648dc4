import { readdirSync } from 'node:fs';
import { type App, Testing } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { warningsOf } from '../constructs/kubernetes/index.ts';

const names = readdirSync(import.meta.dirname).filter((name) => name.startsWith('kubernetes-') && !name.includes('.'));

describe.each(names)('the example %s', (name) => {
  test('renders, with no other warning than that its fetching images have no digest', async () => {
    const { charts } = (await import(`./${name}/charts.ts`)) as { readonly charts: (app: App) => void };
    const app = Testing.app();
    charts(app);
    const manifests = app.charts.flatMap((chart) => Testing.synth(chart));
    expect(manifests.length).toBeGreaterThan(4);
    expect(warningsOf(app).filter(({ code }) => code !== 'image-without-digest')).toEqual([]);
  });
});
