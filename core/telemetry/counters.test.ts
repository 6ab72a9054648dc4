import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CounterReading,
  countersOf,
  difference,
  mergeReadings,
  parseExposition,
  type ServingProfile,
  servingProfiles,
} from './index.ts';

const { sluice, triton, mlserver, torchserve, istio, vllm } = servingProfiles;

function read(profile: ServingProfile, text: string, at = 0, name = 'pod'): CounterReading {
  const { samples, errors } = parseExposition(text);
  expect(errors).toEqual([]);
  return countersOf(profile, samples, { at, name });
}

/** What our server shows of one version. */
function shown(version: string, ok: number, error = 0, bad = 0): string {
  const labels = `model_name="churn",model_version="${version}"`;
  return [
    `model_prediction_total{${labels},status="ok"} ${ok}`,
    `model_prediction_total{${labels},status="error"} ${error}`,
    `model_prediction_total{${labels},status="invalid_input"} ${bad}`,
    '',
  ].join('\n');
}

describe('counting what a server shows', () => {
  test('counts requests, errors by fault and latency for each version', () => {
    const text = `${shown('1', 90, 4, 6)}${shown('2', 10)}
model_prediction_latency_seconds_bucket{le="0.1",model_name="churn",model_version="1"} 80
model_prediction_latency_seconds_bucket{le="+Inf",model_name="churn",model_version="1"} 90
model_prediction_latency_seconds_sum{model_name="churn",model_version="1"} 4.5
model_prediction_latency_seconds_count{model_name="churn",model_version="1"} 90
`;
    expect(read(sluice, text).versions).toEqual([
      {
        model: 'churn',
        version: '1',
        requests: 100,
        success: 90,
        errors: { client: 6, server: 4, unclear: 0 },
        latency: {
          count: 90,
          sum: 4.5,
          buckets: [
            { le: 0.1, count: 80 },
            { le: Number.POSITIVE_INFINITY, count: 90 },
          ],
        },
      },
      { model: 'churn', version: '2', requests: 10, success: 10, errors: { client: 0, server: 0, unclear: 0 } },
    ]);
  });

  test("selects by model, version and label, and leaves the whole server's counters whole", () => {
    const text = `
model_infer_request_success_total{model="a",version="None"} 3
model_infer_request_success_total{model="b",version="None"} 5
rest_server_requests_total{path="/v2/models/{model_name}/infer",status_code="200"} 8
rest_server_requests_total{path="/metrics",status_code="200"} 99
`;
    const { samples } = parseExposition(text);
    const { versions, server } = countersOf(mlserver, samples, { at: 0, version: '2' }, { model: 'a', version: '2' });
    expect(versions).toMatchObject([{ model: 'a', version: '2', requests: 3 }]);
    expect(server).toMatchObject({ requests: 8, success: 8 });
    expect(countersOf(mlserver, samples, { at: 0 }, { model: { not: 'a' } }).versions).toMatchObject([{ model: 'b' }]);
    expect(countersOf(mlserver, samples, { at: 0 }, { labels: { version: '7' } }).versions).toEqual([]);
  });

  test('puts times into seconds, and takes a sum and a count where there is no histogram', () => {
    const text = `
nv_inference_request_success{model="m",version="1"} 4
nv_inference_request_failure{model="m",reason="BACKEND",version="1"} 1
nv_inference_request_duration_us{model="m",version="1"} 2000000
nv_inference_queue_duration_us{model="m",version="1"} 4000
nv_inference_count{model="m",version="1"} 32
nv_inference_exec_count{model="m",version="1"} 2
`;
    expect(read(triton, text).versions).toEqual([
      {
        model: 'm',
        version: '1',
        requests: 5,
        success: 4,
        errors: { client: 0, server: 1, unclear: 0 },
        latency: { count: 4, sum: 2 },
        queue: { count: 4, sum: 0.004 },
        batch: { count: 2, sum: 32 },
      },
    ]);
  });

  test('prefers buckets where a server shows the same thing twice, and does not add the two', () => {
    const text = `
nv_inference_request_success{model="m",version="1"} 4
nv_inference_request_duration_us{model="m",version="1"} 2000000
nv_inference_first_response_histogram_ms_bucket{le="100",model="m",version="1"} 3
nv_inference_first_response_histogram_ms_bucket{le="+Inf",model="m",version="1"} 4
nv_inference_first_response_histogram_ms_sum{model="m",version="1"} 700
nv_inference_first_response_histogram_ms_count{model="m",version="1"} 4
`;
    expect(read(triton, text).versions[0]?.latency).toEqual({
      count: 4,
      sum: 0.7,
      buckets: [
        { le: 0.1, count: 3 },
        { le: Number.POSITIVE_INFINITY, count: 4 },
      ],
    });
  });

  test("counts vLLM's finished requests by their reason, and by HTTP those the engine never saw", () => {
    const { versions, server } = read(vllm, readFileSync(join(import.meta.dirname, 'reference', 'vllm.txt'), 'utf8'));
    expect(versions).toMatchObject([
      {
        model: 'llama',
        requests: 9,
        success: 7,
        errors: { client: 1, server: 1, unclear: 0 },
        latency: { count: 9, sum: 9.5 },
        queue: { count: 9, sum: 0.9 },
      },
    ]);
    expect(server).toMatchObject({ requests: 11, success: 7, errors: { client: 3, server: 1 } });
  });

  test('counts only what the receiving side of a mesh reports', () => {
    const text = ['source', 'destination']
      .map(
        (reporter) =>
          `istio_requests_total{reporter="${reporter}",destination_service_name="churn",destination_version="v2",response_code="503"} 7\n`,
      )
      .join('');
    expect(read(istio, text).versions).toMatchObject([{ requests: 7, errors: { server: 7 } }]);
  });

  test('leaves out what is no count, and counts the first of two equal series', () => {
    const text = 'Requests2XX{a="1"} NaN\nRequests4XX 3\nRequests4XX 4\nRequests5XX -1\nRequests5XX{a="2"} +Inf\n';
    expect(read(torchserve, text).server).toMatchObject({ requests: 3, errors: { client: 3, server: 0 } });
  });

  test('adds up the pods of a version, and only bounds that all of them have', () => {
    const pod = (bound: string) => `
model_prediction_latency_seconds_bucket{le="${bound}",model_name="m",model_version="1"} 1
model_prediction_latency_seconds_bucket{le="1",model_name="m",model_version="1"} 2
model_prediction_latency_seconds_count{model_name="m",model_version="1"} 2
`;
    const both = mergeReadings([read(sluice, pod('0.1'), 0, 'one'), read(sluice, pod('0.2'), 0, 'two')]);
    expect(both.versions[0]?.latency).toMatchObject({ count: 4, buckets: [{ le: 1, count: 4 }] });
  });
});

describe('what happened between two readings', () => {
  test('is the increase of each series', () => {
    const happened = difference(read(sluice, shown('1', 10, 1), 1000), read(sluice, shown('1', 25, 2), 6000));
    expect(happened).toMatchObject({
      milliseconds: 5000,
      versions: [{ requests: 16, success: 15, errors: { server: 1 } }],
      firstSeen: [],
      vanished: [],
      reset: [],
    });
  });

  test('counts what came after a reset whole', () => {
    const happened = difference(read(sluice, shown('1', 100, 5)), read(sluice, shown('1', 8, 5)));
    expect(happened).toMatchObject({ versions: [{ success: 8, errors: { server: 0 } }], reset: ['pod'] });
  });

  test('sees a restart even when a counter has passed its old value, if the process says when it began', () => {
    const at = (seconds: number, ok: number) => `process_start_time_seconds ${seconds}\n${shown('1', ok)}`;
    const happened = difference(read(sluice, at(100, 10), 200_000), read(sluice, at(205, 30), 210_000));
    expect(happened).toMatchObject({ versions: [{ success: 30 }], reset: ['pod'] });
  });

  test('counts a series that is new in a known process whole: it began at zero', () => {
    const before = read(mlserver, 'model_infer_request_success_total{model="m"} 5\n');
    const after = read(
      mlserver,
      'model_infer_request_success_total{model="m"} 5\nmodel_infer_request_failure_total{model="m"} 1\n',
    );
    expect(difference(before, after).versions).toMatchObject([{ requests: 1, errors: { unclear: 1 } }]);
  });

  test('does not count the past of a process that was running before and is seen for the first time', () => {
    const before = read(sluice, shown('1', 10), 1000, 'one');
    const after = mergeReadings([
      read(sluice, shown('1', 11), 2000, 'one'),
      read(sluice, shown('1', 5000), 2000, 'two'),
    ]);
    expect(difference(before, after)).toMatchObject({ versions: [{ requests: 1 }], firstSeen: ['two'] });
  });

  test('counts a process whole that began after the first reading', () => {
    const before = read(sluice, shown('1', 10), 1000, 'one');
    const young = `process_start_time_seconds 1.5\n${shown('1', 4)}`;
    const after = mergeReadings([read(sluice, shown('1', 11), 2000, 'one'), read(sluice, young, 2000, 'two')]);
    expect(difference(before, after)).toMatchObject({ versions: [{ requests: 5 }], firstSeen: [] });
  });

  test('names processes that are gone', () => {
    const before = mergeReadings([read(sluice, shown('1', 1), 0, 'one'), read(sluice, shown('1', 1), 0, 'two')]);
    expect(difference(before, read(sluice, shown('1', 2), 0, 'one'))).toMatchObject({
      vanished: ['two'],
      versions: [{ requests: 1 }],
    });
  });

  test('a histogram begins again as one, so that its buckets stay cumulative', () => {
    const histogram = (fast: number, all: number) => `
model_prediction_latency_seconds_bucket{le="0.1",model_name="m",model_version="1"} ${fast}
model_prediction_latency_seconds_bucket{le="+Inf",model_name="m",model_version="1"} ${all}
model_prediction_latency_seconds_sum{model_name="m",model_version="1"} ${all}
model_prediction_latency_seconds_count{model_name="m",model_version="1"} ${all}
`;
    // The fast bucket alone has not dropped: 2, then 3.
    const { latency } = difference(read(sluice, histogram(2, 50)), read(sluice, histogram(3, 4))).versions[0] ?? {};
    expect(latency).toEqual({
      count: 4,
      sum: 4,
      buckets: [
        { le: 0.1, count: 3 },
        { le: Number.POSITIVE_INFINITY, count: 4 },
      ],
    });
  });

  test('over any interleaving of requests, restarts and readings nothing is counted twice, and nothing lost that was seen', () => {
    type Event = { readonly pod: number; readonly does: 'serve' | 'fail' | 'restart' } | 'read';
    const event: fc.Arbitrary<Event> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ pod: fc.nat(2), does: fc.constantFrom('serve' as const, 'fail' as const) }) },
      { weight: 1, arbitrary: fc.record({ pod: fc.nat(2), does: fc.constant('restart' as const) }) },
      { weight: 2, arbitrary: fc.constant('read' as const) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const pods = [0, 1, 2].map((name) => ({ name: String(name), ok: 0, error: 0, startedAt: 1 }));
        let now = 1000;
        const readAll = (): CounterReading =>
          mergeReadings(
            pods.map(({ name, ok, error, startedAt }) =>
              read(sluice, `process_start_time_seconds ${startedAt / 1000}\n${shown('1', ok, error)}`, now, name),
            ),
          );
        let last = readAll();
        const truth = { ok: 0, error: 0 };
        /** Counted by a process, but not read before it ended. */
        const unseen = { ok: 0, error: 0 };
        const counted = { ok: 0, error: 0 };
        const sinceRead = pods.map(() => ({ ok: 0, error: 0 }));
        const look = (): void => {
          const next = readAll();
          for (const { success = 0, errors } of difference(last, next).versions) {
            counted.ok += success;
            counted.error += errors?.server ?? 0;
          }
          last = next;
          for (const each of sinceRead) Object.assign(each, { ok: 0, error: 0 });
        };
        for (const each of events) {
          now += 1000;
          if (each === 'read') {
            look();
            continue;
          }
          const pod = pods[each.pod];
          const mine = sinceRead[each.pod];
          if (pod === undefined || mine === undefined) continue;
          if (each.does === 'restart') {
            unseen.ok += mine.ok;
            unseen.error += mine.error;
            Object.assign(mine, { ok: 0, error: 0 });
            Object.assign(pod, { ok: 0, error: 0, startedAt: now });
          } else {
            const kind = each.does === 'serve' ? 'ok' : 'error';
            pod[kind] += 1;
            mine[kind] += 1;
            truth[kind] += 1;
          }
        }
        now += 1000;
        look();
        expect({ ok: counted.ok + unseen.ok, error: counted.error + unseen.error }).toEqual(truth);
      }),
    );
  });

  test('without start times it is what Prometheus counts: a drop is a reset', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 30 }), (values) => {
        const readings = values.map((value) => read(sluice, shown('1', value)));
        let total = 0;
        for (const [index, reading] of readings.entries()) {
          const before = readings[index - 1];
          if (before !== undefined) total += difference(before, reading).versions[0]?.success ?? 0;
        }
        // promql/functions.go, extrapolatedRate: last - first, plus each value before a drop.
        const drops = values.reduce((sum, value, index) => sum + (value > (values[index + 1] ?? value) ? value : 0), 0);
        expect(total).toBe((values.at(-1) ?? 0) - (values[0] ?? 0) + drops);
      }),
    );
  });
});
