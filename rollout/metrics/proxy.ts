import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt, parsedJson, printable } from '../../core/text/index.ts';
import { HttpAsker, shownUrl } from '../http-question.ts';
import type { MetricsSource, Reading, SeriesCounts } from '../metrics-source.ts';
import { readState } from '../proxy/proxy-state.ts';
import { RevisionFolder } from '../traffic/revision-folder.ts';

const count = z.number().nonnegative();
const series = z.object({
  id: z.string().transform(printable),
  requests: count,
  errors: count,
  latency: z.object({
    edges: z.array(z.union([z.number(), z.literal('+Inf')])).max(1000),
    cumulative: z.array(count).max(1000),
    sum: count,
  }),
  means: z.record(z.string(), z.object({ sum: z.number(), count, squares: z.number() })).optional(),
  at: z.number(),
});
const answer = z.object({
  canary: z.array(series).max(100),
  baseline: z.array(series).max(100),
  remarks: z.array(z.string().transform(printable)).max(100),
});

/** What Sluice's own proxy counted of each arm, its agreement of mirrored answers among it. */
export function openProxyMetrics(options: {
  /** The folder with the proxy's state: it says where the proxy answers. */
  readonly state: string;
  /** What people call that folder: its path as the policy writes it. @default `state` */
  readonly stateName?: string | undefined;
  /** @default 5000 */
  readonly timeoutMs?: number;
}): MetricsSource {
  const folder = new RevisionFolder(options.state, options.stateName);
  const asker = new HttpAsker({ timeoutMs: options.timeoutMs ?? 5000 });
  return {
    name: 'proxy',
    title: `counts of the proxy of ${folder.name}`,
    read: async (signal) => {
      signal?.throwIfAborted();
      const control = (await readState(folder))?.control;
      if (control === undefined) {
        throw new PeerError({
          code: 'no-proxy',
          message: 'no proxy has begun here',
          place: { file: folder.name },
          fix: 'Start it: `sluice proxy --state FOLDER --baseline URL`, with the same folder.',
        });
      }
      const url = new URL('/counts', control);
      const { status, text } = await asker.ask({ url, signal });
      return readingOf(url, status, text);
    },
    [Symbol.asyncDispose]: () => asker[Symbol.asyncDispose](),
  };
}

function readingOf(url: URL, status: number, text: string): Reading {
  const { data } = answer.safeParse(status === 200 ? parsedJson(text) : undefined);
  if (data === undefined) {
    throw new PeerError({
      code: 'unreadable-counts',
      message: `what answers at ${shownUrl(url)} is not this proxy`,
      found: `HTTP ${status} ${excerpt(text, 80)}`,
      fix: 'Another process has taken its port: start the proxy again, with the same state.',
    });
  }
  const { canary, baseline, remarks } = data;
  return { canary: canary.map(seriesOf), baseline: baseline.map(seriesOf), remarks };
}

function seriesOf({ latency, means, ...rest }: z.infer<typeof series>): SeriesCounts {
  const edges = latency.edges.map((edge) => (edge === '+Inf' ? Number.POSITIVE_INFINITY : edge));
  return { ...rest, latency: { ...latency, edges }, ...(means === undefined ? {} : { means }) };
}
