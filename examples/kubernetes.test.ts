import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Testing } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { asYaml, type Manifest } from '../constructs/kubernetes/fixtures/test-chart.ts';
import { warningsOf } from '../constructs/kubernetes/index.ts';

const names = readdirSync(import.meta.dirname).filter((name) => name.startsWith('kubernetes-') && !name.includes('.'));

async function rendered(name: string): Promise<{ readonly app: App; readonly manifests: readonly Manifest[] }> {
  const { charts } = (await import(`./${name}/charts.ts`)) as { readonly charts: (app: App) => void };
  const app = Testing.app();
  charts(app);
  return { app, manifests: app.charts.flatMap((chart) => Testing.synth(chart) as readonly Manifest[]) };
}

describe.each(names)('the example %s', (name) => {
  test('renders, with no other warning than that its fetching images have no digest', async () => {
    const { app, manifests } = await rendered(name);
    expect(manifests.length).toBeGreaterThan(4);
    expect(warningsOf(app).filter(({ code }) => code !== 'image-without-digest')).toEqual([]);
  });

  // With `UPDATE_GOLDEN=1` they are written first: read the difference before committing it.
  test('renders the manifests that stand beside it', async () => {
    const yaml = asYaml((await rendered(name)).manifests);
    const file = join(import.meta.dirname, name, 'manifests.yaml');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, yaml);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(yaml);
  });
});
