import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { parseExposition } from '../../core/telemetry/index.ts';

describe('reading what /metrics shows', () => {
  test('reads back what prom-client wrote, in both its formats', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string(), fc.double({ min: 0, max: 1e6, noNaN: true })), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (observations, open) => {
          const registry = new Registry();
          if (open) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
          const settings = { help: 'say "it"\\ and\nmore', labelNames: ['who'], registers: [registry] };
          const counter = new Counter({ name: 'seen_total', ...settings });
          const gauge = new Gauge({ name: 'level', ...settings });
          const histogram = new Histogram({ name: 'took_seconds', buckets: [0.1, 1, 100], ...settings });
          const summary = new Summary({ name: 'size', percentiles: [0.5], ...settings });
          const count = new Map<string, number>();
          const last = new Map<string, number>();
          for (const [who, value] of observations) {
            counter.inc({ who });
            gauge.set({ who }, value);
            histogram.observe({ who }, value);
            summary.observe({ who }, value);
            count.set(who, (count.get(who) ?? 0) + 1);
            last.set(who, value);
          }
          const text = await registry.metrics();
          const read = parseExposition(text);
          expect(read.errors).toEqual([]);
          expect(read.format).toBe(open ? 'openmetrics' : 'prometheus');
          const values = (name: string, le?: string) =>
            new Map(
              read.samples
                .filter((sample) => sample.name === name && sample.labels['le'] === le)
                .map(({ labels, value }) => [labels['who'] ?? '', value]),
            );
          expect(values('seen_total')).toEqual(count);
          expect(values('level')).toEqual(last);
          expect(values('took_seconds_count')).toEqual(count);
          expect(values('took_seconds_bucket', '+Inf')).toEqual(count);
          expect(values('size_count')).toEqual(count);
          expect(read.families.find(({ name }) => name === 'took_seconds')?.samples.length).toBe(count.size * 6);
        },
      ),
      { numRuns: 50 },
    );
  });
});
