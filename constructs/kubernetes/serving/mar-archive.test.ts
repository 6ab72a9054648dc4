import { describe, expect, test } from 'vitest';
import { gallery } from '../fixtures/gallery.ts';
import { manifestsOf } from '../fixtures/test-chart.ts';

describe('the Job that packs an archive', () => {
  const manifests = manifestsOf(gallery['torchserve-deployment'] ?? (() => undefined));
  const called = (kind: string) =>
    manifests.find((each) => each.kind === kind && each.metadata.name === 'images-mar')?.['spec'];

  test('is reached by nobody, and reaches only names and what it fetches from', () => {
    const { podSelector, ingress, egress, policyTypes } = called('NetworkPolicy');
    expect(called('Job').template.metadata.labels).toMatchObject(podSelector.matchLabels);
    expect({ policyTypes, ingress }).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: [] });
    const ports = egress.flatMap((rule: { readonly ports: readonly { readonly port: number }[] }) =>
      rule.ports.map(({ port }) => port),
    );
    expect(ports).toEqual([53, 53, 443, 80]);
  });
});
