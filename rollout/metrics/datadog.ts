import * as z from 'zod';
import { InputError, PeerError, type Problem } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import { HttpAsker, type PlainAnswer } from '../http-question.ts';
import { Backoff } from '../kubernetes/backoff.ts';
import type { MetricsSource, Reading } from '../metrics-source.ts';
import { ArmMinutes, arms, type FoundMinutes } from './arm-minutes.ts';
import { latencyEdges } from './latency-edges.ts';
import { minute } from './minute-counts.ts';

export interface DatadogOptions {
  /** `datadoghq.eu`, `us5.datadoghq.com`, ... */
  readonly site: string;
  readonly apiKey: string;
  /** With the permission `timeseries_query`. */
  readonly applicationKey: string;
  /** Names of counts. */
  readonly requests: string;
  readonly errors: string;
  /** The name of a distribution of seconds; its values are counted by the query's own threshold. */
  readonly latency?: string | undefined;
  /** By tags, all of which have to match. */
  readonly canary: Readonly<Record<string, string>>;
  readonly baseline: Readonly<Record<string, string>>;
  /** Edges of the latency histogram in milliseconds, rising. @default from 5 ms to 10 s */
  readonly edgesMs?: readonly number[] | undefined;
  /** Where it is not Datadog's own: a proxy that holds the keys. */
  readonly url?: URL;
  /** Milliseconds to go on asking while Datadog limits or fails. @default 20000 */
  readonly patienceMs?: number;
}

/**
 * Counts of Datadog by the minute, by the query API (`POST /api/v2/query/timeseries`): `sum:…{…}.as_count()` rolled up by 60 s, and for
 * latency `count(v: v<=x):…`, which counts the values of a distribution. Percentiles are not asked for: no histogram can be made of them.
 *
 * Sources: https://docs.datadoghq.com/api/latest/metrics/, https://docs.datadoghq.com/metrics/distributions/#threshold-queries
 *
 * Throws an InputError for two arms that are the same, for names and tags that are none, and for missing keys.
 */
export function openDatadog(options: DatadogOptions): MetricsSource {
  return new Datadog(options);
}

const answer = z.looseObject({
  data: z.looseObject({
    attributes: z.looseObject({
      times: z.array(z.number()).nullish(),
      series: z.array(z.looseObject({ query_index: z.number().nullish() })).nullish(),
      values: z.array(z.array(z.number().nullish())).nullish(),
    }),
  }),
  errors: z.string().nullish(),
});

class Datadog implements MetricsSource {
  readonly name = 'datadog';
  readonly title: string;
  readonly #options: DatadogOptions;
  readonly #asker = new HttpAsker({ timeoutMs: 15_000 });
  readonly #url: URL;
  readonly #edges: readonly number[];
  readonly #minutes: ArmMinutes;
  /** How far Datadog's clock is ahead of ours, in milliseconds; `undefined`: it has not answered yet. */
  #ahead: number | undefined;

  constructor(options: DatadogOptions) {
    checkOptions(options);
    this.#options = options;
    this.#url = new URL('/api/v2/query/timeseries', options.url ?? `https://api.${options.site}`);
    this.#edges = options.latency === undefined ? [] : latencyEdges(options.edgesMs);
    this.#minutes = new ArmMinutes(
      {
        now: () => (this.#ahead === undefined ? undefined : Date.now() + this.#ahead),
        ask: (from, to, signal) => this.#ask(from, to, signal),
        remarks: {
          latency: (arm) =>
            `Datadog counts no latency of the ${arm}: it is left out. Are percentiles enabled for the metric?`,
          requests: (arm) => `Datadog has no request of the ${arm} (${excerpt(scopeOf(options[arm]), 100)}) yet.`,
        },
      },
      { canary: scopeOf(options.canary), baseline: scopeOf(options.baseline) },
      this.#edges,
    );
    this.title = `Datadog at ${excerpt(options.site)}`;
  }

  read(signal?: AbortSignal): Promise<Reading> {
    return this.#minutes.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
  }

  /** Name and text of every question; the name comes back as the index of its formula. */
  #queries(): readonly { readonly name: string; readonly query: string }[] {
    const { requests, errors, latency } = this.#options;
    return arms.flatMap((arm) => {
      const scope = scopeOf(this.#options[arm]);
      return [
        { name: `${arm}_requests`, query: `sum:${requests}{${scope}}.as_count().rollup(sum, 60)` },
        { name: `${arm}_errors`, query: `sum:${errors}{${scope}}.as_count().rollup(sum, 60)` },
        ...(latency === undefined
          ? []
          : [
              { name: `${arm}_timed`, query: `count:${latency}{${scope}}.as_count().rollup(sum, 60)` },
              ...this.#edges.map((edge, index) => ({
                name: `${arm}_within${index}`,
                query: `count(v: v<=${edge}):${latency}{${scope}}.as_count().rollup(sum, 60)`,
              })),
            ]),
      ];
    });
  }

  async #ask(from: number, to: number, signal: AbortSignal | undefined): Promise<FoundMinutes> {
    const queries = this.#queries();
    const body = JSON.stringify({
      data: {
        type: 'timeseries_request',
        attributes: {
          from,
          to,
          interval: minute,
          queries: queries.map(({ name, query }) => ({ data_source: 'metrics', name, query })),
          formulas: queries.map(({ name }) => ({ formula: name })),
        },
      },
    });
    const text = await this.#insist(body, signal);
    const { data: parsed } = answer.safeParse(parsedJson(text));
    if (parsed === undefined || (parsed.errors ?? '') !== '') throw notDatadog(this.title, parsed?.errors ?? text);
    const { times, series, values } = parsed.data.attributes;
    const found = new Map<string, Map<number, number>>();
    for (const [index, { query_index: asked }] of (series ?? []).entries()) {
      const name = queries[asked ?? index]?.name;
      if (name === undefined) continue;
      const own = found.get(name) ?? new Map<number, number>();
      for (const [position, at] of (times ?? []).entries()) {
        const value = values?.[index]?.[position];
        // The newest point of a rollup is of a minute that is not over.
        if (value != null && at >= from && at < to) own.set(at, (own.get(at) ?? 0) + value);
      }
      found.set(name, own);
    }
    return found;
  }

  async #insist(body: string, signal: AbortSignal | undefined): Promise<string> {
    const { apiKey, applicationKey, patienceMs = 20_000 } = this.#options;
    const began = performance.now();
    const backoff = new Backoff();
    for (;;) {
      const asked = await this.#asker.ask({
        url: this.#url,
        body,
        headers: {
          'content-type': 'application/json',
          'dd-api-key': apiKey,
          'dd-application-key': applicationKey,
        },
        signal,
      });
      const date = Date.parse(asked.headers['date'] ?? '');
      if (Number.isFinite(date)) this.#ahead = date - asked.at;
      if (asked.status === 200) return asked.text;
      const passing = asked.status === 429 || asked.status >= 500;
      const reset = Number(/^\d{1,4}$/.exec(asked.headers['x-ratelimit-reset'] ?? '')?.[0] ?? 0) * 1000;
      if (!passing || performance.now() - began + reset > patienceMs) throw new PeerError(refusal(this.title, asked));
      await backoff.wait(reset, signal);
    }
  }
}

function scopeOf(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}:${value}`)
    .toSorted()
    .join(',');
}

/** What goes into a query unquoted: Datadog's language has no quotes for it. */
function checkOptions({ requests, errors, latency, canary, baseline, apiKey, applicationKey }: DatadogOptions): void {
  const problems: Problem[] = [];
  for (const metric of [requests, errors, latency]) {
    if (metric === undefined || /^[A-Za-z][A-Za-z0-9_.]{0,199}$/.test(metric)) continue;
    problems.push({
      code: 'bad-metric',
      message: `${excerpt(metric)} is no name of a metric`,
      fix: 'Use the name as the Metrics Summary shows it: letters, digits, dots and underscores.',
    });
  }
  for (const [key, value] of [...Object.entries(canary), ...Object.entries(baseline)]) {
    if (/^[a-z][a-z0-9_./-]{0,199}$/.test(key) && /^[^\s,{}()"'*!\\]{1,200}$/.test(value)) continue;
    problems.push({
      code: 'bad-tag',
      message: `${excerpt(`${key}:${value}`)} is no tag`,
      fix: 'Write key and value of the tag as Datadog shows them, without * and blanks.',
    });
  }
  if (Object.keys(canary).length === 0 || scopeOf(canary) === scopeOf(baseline)) {
    problems.push({
      code: 'same-arms',
      message: 'the series of the canary and of the baseline are the same',
      found: excerpt(scopeOf(canary)),
      fix: 'Give each the tag that tells it: version.',
    });
  }
  for (const [name, key] of Object.entries({ DD_API_KEY: apiKey, DD_APP_KEY: applicationKey })) {
    if (/^[\x21-\x7e]+$/.test(key)) continue;
    problems.push({
      code: 'no-datadog-key',
      message: `${name} is not set, or is no key`,
      fix: `Set ${name} from a secret; the application key needs the permission timeseries_query only.`,
    });
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
}

function refusal(title: string, { status, text, headers }: PlainAnswer): Problem {
  const base = { message: `${title} answers HTTP ${status}`, ...(text === '' ? {} : { found: excerpt(text, 200) }) };
  if (status === 401 || status === 403) {
    return {
      ...base,
      code: 'datadog-closed',
      fix: 'Check DD_API_KEY and DD_APP_KEY, that they are of this site, and that the application key may timeseries_query.',
    };
  }
  if (status === 429) {
    const { 'x-ratelimit-limit': limit, 'x-ratelimit-period': period } = headers;
    const known =
      limit === undefined || period === undefined
        ? ''
        : ` It allows ${excerpt(limit, 10)} in ${excerpt(period, 10)} s.`;
    return {
      ...base,
      code: 'datadog-busy',
      fix: `Look less often (analysis.look_every), or ask Datadog for a higher rate.${known}`,
    };
  }
  if (status >= 500) return { ...base, code: 'datadog-away', fix: 'See status.datadoghq.com.' };
  if (status === 404) return { ...base, code: 'no-datadog', fix: 'Check the site.' };
  return {
    ...base,
    code: 'datadog-refused',
    fix: 'Ask it the same in its Metrics Explorer; check the names of the metrics.',
  };
}

function notDatadog(title: string, found: string): PeerError {
  return new PeerError({
    code: 'broken-answer',
    message: `what ${title} answers is not of its query API`,
    found: excerpt(found, 200),
    fix: 'See whether a proxy answers in its place; ask it the same in its Metrics Explorer.',
  });
}
