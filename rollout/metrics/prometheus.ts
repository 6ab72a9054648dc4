import * as z from 'zod';
import { InputError, PeerError, type Problem } from '../../core/problem/index.ts';
import { type Labels, quoted, type Sample, type ServingProfile, targetLabels } from '../../core/telemetry/index.ts';
import { excerpt, parsedJson, printable } from '../../core/text/index.ts';
import { HttpAsker, type PlainAnswer, type QuestionOptions, shownUrl } from '../http-question.ts';
import type { MetricsSource, Reading, SeriesCounts } from '../metrics-source.ts';
import { type ExportedMean, seriesOfMeans } from './exported-means.ts';
import { refuseBlindProfile } from './scrape.ts';
import { countsOfTarget, seriesNames } from './target-counts.ts';

/** Which series are an arm's. Everything that is named has to hold. */
export interface ArmSelector {
  /** By the server's own label for it; for servers that have none by the target's (`sluice_dev_model_version`). */
  readonly version?: string | undefined;
  readonly namespace?: string | undefined;
  /** How the pods' names begin: `churn-canary-`. */
  readonly podPrefix?: string | undefined;
  /** By the series' own label names: `{ destination_version: 'v2' }`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface PrometheusOptions extends QuestionOptions {
  /** Of the server, without `/api/v1`: `http://prometheus:9090`, `https://mimir/prometheus`. */
  readonly url: URL;
  /** What the model server calls its metrics. */
  readonly profile: ServingProfile;
  readonly model?: string | undefined;
  readonly canary: ArmSelector;
  readonly baseline: ArmSelector;
  /** Means that somebody exports beside the server. @default none */
  readonly means?: readonly ExportedMean[];
  /** Milliseconds after which what a target last showed counts as late. @default 90000: a scrape a minute, and half */
  readonly lateMs?: number;
  /** The headers of one request, for services that want each signed. @default none beside `headers` */
  readonly sign?: (request: { readonly url: URL; readonly body: string }) => Promise<Readonly<Record<string, string>>>;
}

/** Series of one arm that are read at most. */
const mostSeries = 20_000;

/**
 * Asks Prometheus, or what speaks its HTTP API (Mimir, Thanos, VictoriaMetrics), for the raw counters of both arms: never `rate()`, which
 * guesses at the edges of a window. All questions of one look are asked for one time, by the clock of the server asked; each series has
 * the time of its last scrape. Throws an InputError for a profile that does not count errors, and for two arms that are the same.
 */
export function openPrometheus(options: PrometheusOptions): MetricsSource {
  return new Prometheus(options);
}

class Prometheus implements MetricsSource {
  readonly name = 'prometheus';
  readonly title: string;
  readonly #options: PrometheusOptions;
  readonly #asker: HttpAsker;
  readonly #url: URL;
  readonly #names: ReturnType<typeof seriesNames>;

  constructor(options: PrometheusOptions) {
    refuseBlindProfile(options.profile);
    refuseSameArms(options);
    this.#options = options;
    this.#asker = new HttpAsker(options);
    this.#url = new URL(options.url);
    this.#url.pathname = `${this.#url.pathname.replace(/\/+$/, '')}/api/v1/query`;
    this.#names = seriesNames(options.profile);
    this.title = `Prometheus at ${shownUrl(options.url)}`;
  }

  async read(signal?: AbortSignal): Promise<Reading> {
    const now = await this.#now(signal);
    const remarks = new Set<string>();
    const ask: Ask = (query) => this.#query(query, now, signal);
    const [canary, baseline] = await Promise.all([
      this.#arm('canary', now, remarks, ask),
      this.#arm('baseline', now, remarks, ask),
    ]);
    return { canary, baseline, remarks: [...remarks] };
  }

  /** Each question is asked once, for all times. */
  async history(everyMs: number, readings: number, signal?: AbortSignal): Promise<readonly Reading[]> {
    const now = await this.#now(signal);
    const step = everyMs / 1000;
    const start = now - (readings - 1) * step;
    const answers = new Map<string, Promise<readonly Vector[]>>();
    const found: Reading[] = [];
    for (let index = 0; index < readings; index++) {
      const ask = async (query: string): Promise<Vector> => {
        const answer = answers.get(query) ?? this.#queryRange(query, { start, step, readings }, signal);
        answers.set(query, answer);
        return (await answer)[index] ?? none;
      };
      const baseline = await this.#arm('baseline', start + index * step, new Set(), ask);
      if (baseline.length > 0) found.push({ canary: [], baseline, remarks: [] });
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#asker[Symbol.asyncDispose]();
  }

  async #arm(
    name: 'canary' | 'baseline',
    now: number,
    remarks: Set<string>,
    ask: Ask,
  ): Promise<readonly SeriesCounts[]> {
    const { profile, lateMs = 90_000 } = this.#options;
    const { requests, model, server } = this.#names;
    const [ofModel, ofServer, ...scraped] = await Promise.all([
      ask(this.#selector(name, model, 'model')),
      server.length === 0 ? undefined : ask(this.#selector(name, server, 'server')),
      // The name goes with `timestamp`, and labels alone need not tell series of two names apart.
      ...requests.map((series) => ask(`timestamp(${this.#selector(name, [series], 'model')})`)),
    ]);
    const targets = new Map<string, { readonly job: string; samples: Sample[]; at: number }>();
    const at = (labels: Labels) => {
      const { id, job } = identityOf(labels);
      const key = JSON.stringify([id, job]);
      let target = targets.get(key);
      if (target === undefined) {
        target = { job, samples: [], at: 0 };
        targets.set(key, target);
      }
      return target;
    };
    for (const vector of [ofModel, ofServer ?? none]) {
      for (const warning of vector.warnings) remarks.add(`${name}: ${warning}`);
      if (vector.histograms > 0) {
        remarks.add(`${name}: ${vector.histograms} native histograms were left out; classic buckets are read.`);
      }
      for (const sample of vector.samples) {
        if (Number.isNaN(sample.value)) remarks.add(`${name}: ${printable(sample.name)} is not a number (NaN).`);
        at(sample.labels).samples.push(sample);
      }
    }
    for (const { samples } of scraped) {
      for (const { labels, value } of samples) {
        const target = at(labels);
        target.at = Math.max(target.at, value * 1000);
      }
    }
    const series = new Map<string, { readonly job: string; readonly counts: SeriesCounts }>();
    for (const [key, { job, samples, at: taken }] of [...targets].toSorted(([one], [other]) =>
      one < other ? -1 : 1,
    )) {
      const [id] = JSON.parse(key) as [string];
      const counts = countsOfTarget(profile, samples, { id, at: taken === 0 ? now * 1000 : taken });
      if (counts === undefined) continue;
      const twice = series.get(id);
      if (twice !== undefined) {
        remarks.add(`${id} of the ${name} is scraped by two jobs (${twice.job}, ${job}): the first one counts.`);
        continue;
      }
      series.set(id, { job, counts });
      const late = now * 1000 - counts.at;
      if (late > lateMs) remarks.add(`${id} of the ${name} was last scraped ${Math.round(late / 1000)} s ago.`);
    }
    if (series.size === 0) remarks.add(`Prometheus has no series of the ${name}: ${printable(this.#shown(name))}`);
    const means = series.size === 0 ? [] : seriesOfMeans(await this.#means(name, ask), now);
    return [...[...series.values()].map(({ counts }) => counts), ...means];
  }

  /** Of an arm that is there: who counts a mean may be there without it. */
  #means(arm: 'canary' | 'baseline', ask: Ask) {
    const named = (this.#options.means ?? []).flatMap(({ [arm]: labels, ...mean }) =>
      labels === undefined ? [] : [{ ...mean, labels }],
    );
    return Promise.all(
      named.map(async ({ name, sum, count, labels }) => {
        const conditions = Object.entries(labels).map(([label, value]) => `,${label}=${quoted(value)}`);
        const selector = (series: string): string => `{__name__=${quoted(series)}${conditions.join('')}}`;
        const questions = [selector(sum), selector(count), `timestamp(${selector(count)})`];
        const [sums = none, counts = none, scraped = none] = await Promise.all(questions.map(ask));
        return { name, sums: sums.samples, counts: counts.samples, scraped: scraped.samples };
      }),
    );
  }

  /** The label conditions of an arm, for people who look for what is missing. */
  #shown(name: 'canary' | 'baseline'): string {
    return this.#selector(name, this.#names.requests, 'model');
  }

  /** `{__name__=~"a|b",model_name="churn"}`: all values quoted, whatever is in them. */
  #selector(arm: 'canary' | 'baseline', names: readonly string[], of: 'model' | 'server'): string {
    const { profile, model } = this.#options;
    const { version, namespace, podPrefix, labels = {} } = this.#options[arm];
    const own = profile.labels;
    const conditions = new Map<string, string>();
    const add = (label: string | undefined, wanted: string | undefined, operator = '='): void => {
      if (label !== undefined && wanted !== undefined) conditions.set(label, `${label}${operator}${quoted(wanted)}`);
    };
    if (of === 'model') add(own.model, model);
    // Series of a whole server are told apart by the target alone.
    if (of === 'model' || own.version === undefined) add(own.version ?? targetLabels.version, version);
    add(own.namespace ?? targetLabels.namespace, namespace);
    if (podPrefix !== undefined) add(targetLabels.pod, `${literal(podPrefix)}.*`, '=~');
    for (const [label, value] of Object.entries(labels)) add(label, value);
    return `{__name__=~${quoted(names.map(literal).join('|'))}${[...conditions.values()].map((each) => `,${each}`).join('')}}`;
  }

  /** Seconds of the epoch, by the server's clock: ours may be elsewhere. */
  async #now(signal: AbortSignal | undefined): Promise<number> {
    const { data } = timeAnswer.safeParse(await this.#ask({ query: 'time()' }, signal));
    const now = data === undefined ? Number.NaN : Number(data.data.result[1]);
    if (!Number.isFinite(now)) throw notPrometheus(this.#url, 'it does not say what time it is');
    return now;
  }

  async #query(query: string, time: number, signal: AbortSignal | undefined): Promise<Vector> {
    const limit = String(mostSeries + 1);
    const { data } = vectorAnswer.safeParse(await this.#ask({ query, time: time.toFixed(3), limit }, signal));
    if (data === undefined) throw notPrometheus(this.#url, 'it answers no instant vector');
    const { result } = data.data;
    if (result.length > mostSeries) throw tooManySeries(query);
    return {
      samples: result.flatMap(({ metric: { __name__: name = '', ...labels }, value }) =>
        value === undefined ? [] : [{ name, labels, value: numberOf(value[1]), line: 0 }],
      ),
      histograms: result.filter(({ value }) => value === undefined).length,
      warnings: (data.warnings ?? []).map((warning) => excerpt(warning, 200)),
    };
  }

  /** A vector for each time. */
  async #queryRange(
    query: string,
    { start, step, readings }: { readonly start: number; readonly step: number; readonly readings: number },
    signal: AbortSignal | undefined,
  ): Promise<readonly Vector[]> {
    const end = start + (readings - 1) * step;
    const form = { query, start: start.toFixed(3), end: end.toFixed(3), step: step.toFixed(3) };
    const url = new URL(this.#url);
    url.pathname = `${url.pathname}_range`;
    const { data } = matrixAnswer.safeParse(await this.#ask({ ...form, limit: String(mostSeries + 1) }, signal, url));
    if (data === undefined) throw notPrometheus(this.#url, 'it answers no range vector');
    const { result } = data.data;
    if (result.length > mostSeries) throw tooManySeries(query);
    const samples = Array.from({ length: readings }, (): Sample[] => []);
    for (const { metric, values = [] } of result) {
      const { __name__: name = '', ...labels } = metric;
      for (const [time, text] of values) {
        samples[Math.round((time - start) / step)]?.push({ name, labels, value: numberOf(text), line: 0 });
      }
    }
    return samples.map((each) => ({ ...none, samples: each }));
  }

  async #ask(
    form: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
    url: URL = this.#url,
  ): Promise<unknown> {
    const { sign } = this.#options;
    const headers = await sign?.({ url, body: new URLSearchParams(form).toString() });
    const answer = await this.#asker.ask({
      url,
      form,
      signal,
      ...(headers === undefined ? {} : { headers }),
    });
    const value = parsedJson(answer.text);
    const { data: failure } = failureAnswer.safeParse(value);
    if (answer.status !== 200 || failure !== undefined) {
      throw new PeerError(refusal(this.#url, answer, failure, sign !== undefined));
    }
    return value;
  }
}

interface Vector {
  readonly samples: readonly Sample[];
  readonly histograms: number;
  readonly warnings: readonly string[];
}

type Ask = (query: string) => Promise<Vector>;

const none: Vector = { samples: [], histograms: 0, warnings: [] };

/** A number with its time, as the API writes them. */
const value = z.tuple([z.number(), z.string()]);
const timeAnswer = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('scalar'), result: value }),
});
const vectorAnswer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: value.optional() })),
  }),
  warnings: z.array(z.string()).optional(),
});
const matrixAnswer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), values: z.array(value).optional() })),
  }),
});
const failureAnswer = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });

/** Which target a series is of. A pod may have several containers, and be scraped by several jobs. */
function identityOf(labels: Labels): { readonly id: string; readonly job: string } {
  const { namespace, pod, container, instance, job = '' } = labels;
  const place = pod === undefined ? (instance ?? 'all') : [namespace, pod, container].filter(Boolean).join('/');
  return { id: printable(place), job: printable(job) };
}

function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** A text that stands for itself in a regular expression of RE2. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function refuseSameArms({ canary, baseline, means = [] }: PrometheusOptions): void {
  const wrong = [canary, baseline, ...means.flatMap((mean) => [{ labels: mean.canary }, { labels: mean.baseline }])]
    .flatMap(({ labels = {} }) => Object.keys(labels))
    .find((name) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name));
  if (wrong !== undefined) {
    throw new InputError({
      code: 'bad-label',
      message: `${excerpt(quoted(wrong))} is no name of a label`,
      fix: 'Use letters, digits and underscores, and do not begin with a digit.',
    });
  }
  const text = ({ version, namespace, podPrefix, labels = {} }: ArmSelector): string =>
    JSON.stringify([version, namespace, podPrefix, Object.entries(labels).toSorted()]);
  if (text(canary) !== text(baseline)) return;
  throw new InputError({
    code: 'same-arms',
    message: 'the series of the canary and of the baseline are the same',
    found: excerpt(text(canary)),
    fix: 'Give each its version, the beginning of its pods’ names, or a label that differs.',
  });
}

function refusal(
  url: URL,
  { status, text }: PlainAnswer,
  failure: z.infer<typeof failureAnswer> | undefined,
  signed: boolean,
): Problem {
  const told = failure === undefined ? text : `${failure.errorType}: ${failure.error}`;
  const base = {
    message: `${shownUrl(url)} answers HTTP ${status}`,
    ...(told === '' ? {} : { found: excerpt(told, 200) }),
  };
  if (status === 401 || status === 403) {
    return {
      ...base,
      code: 'prometheus-closed',
      fix: signed
        ? 'Allow the role aps:QueryMetrics on the workspace; check its region, and that the credentials have not expired.'
        : 'Give a token or user and password that may query.',
    };
  }
  if (status >= 300 && status < 400) {
    return {
      ...base,
      code: 'prometheus-redirects',
      fix: 'Give the URL behind the redirect; a login page cannot be passed: give a token.',
    };
  }
  if (status === 404 || status === 405) {
    return {
      ...base,
      code: 'no-prometheus',
      fix: 'Give the URL without /api/v1; Mimir has its API below /prometheus, Thanos at its querier.',
    };
  }
  if (status === 429) {
    return { ...base, code: 'prometheus-busy', fix: 'Look less often (analysis.look_every), or raise its limits.' };
  }
  if (failure?.errorType === 'timeout' || failure?.errorType === 'canceled' || status === 503 || status === 504) {
    return { ...base, code: 'prometheus-slow', fix: 'See why it is busy: its own metrics and log tell.' };
  }
  if (failure?.errorType === 'bad_data' && /tenant|org/i.test(failure.error)) {
    return { ...base, code: 'no-tenant', fix: 'Give the header X-Scope-OrgID with the tenant.' };
  }
  return { ...base, code: 'prometheus-refused', fix: 'See its log; ask it the same in its own page.' };
}

function notPrometheus(url: URL, why: string): PeerError {
  return new PeerError({
    code: 'no-prometheus',
    message: `what answers at ${shownUrl(url)} is not Prometheus: ${why}`,
    fix: 'Give the URL of Prometheus, without /api/v1.',
  });
}

function tooManySeries(query: string): PeerError {
  return new PeerError({
    code: 'too-many-series',
    message: `more than ${mostSeries} series are the arm's`,
    found: excerpt(query, 200),
    fix: 'Name the model, the namespace or the pods, so that only its own series are asked for.',
  });
}
