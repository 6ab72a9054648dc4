import { ApiObject, JsonPatch, Testing } from 'cdk8s';
import { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { gallery } from './fixtures/gallery.ts';
import { type Manifest, newChart } from './fixtures/test-chart.ts';

/** Every object that a construct hands out by name, or what it hands out does: a construct, a list, a few of them together. */
function handedOut(holder: object, seen = new Set<unknown>()): ReadonlySet<unknown> {
  for (const value of Object.values(holder)) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    const together = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
    if (!together && !(value instanceof Construct)) continue;
    seen.add(value);
    if (!(value instanceof ApiObject)) handedOut(value, seen);
  }
  return seen;
}

describe('what a construct makes', () => {
  test.each(Object.entries(gallery))('can be had by name and changed, object by object: %s', (_, build) => {
    const chart = newChart();
    build(chart);
    const hidden: string[] = [];
    for (const construct of chart.node.children) {
      const given = handedOut(construct as Construct);
      for (const each of construct.node.findAll())
        if (ApiObject.isApiObject(each) && each !== construct && !given.has(each)) hidden.push(each.node.path);
    }
    expect(hidden).toEqual([]);

    const before = Testing.synth(chart) as readonly Manifest[];
    for (const each of chart.node.findAll())
      if (ApiObject.isApiObject(each)) each.addJsonPatch(JsonPatch.add('/metadata/labels/changed', 'yes'));
    const after = Testing.synth(chart) as readonly Manifest[];
    // Nothing else is lost by it, also of what cdk8s does not know.
    expect(after).toEqual(
      before.map((manifest) => ({
        ...manifest,
        metadata: { ...manifest.metadata, labels: { ...manifest.metadata.labels, changed: 'yes' } },
      })),
    );
  });
});
