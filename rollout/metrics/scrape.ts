import { InputError, PeerError, type Problem } from '../../core/problem/index.ts';
import { formatOf, parseExposition, type Sample, type ServingProfile } from '../../core/telemetry/index.ts';
import { excerpt, printable } from '../../core/text/index.ts';
import { HttpAsker, type QuestionOptions, shownUrl } from '../http-question.ts';
import type { MetricsSource, Reading, SeriesCounts } from '../metrics-source.ts';
import { countsOfTarget, type SampleChoice, tellsErrors } from './target-counts.ts';

/** A process that shows its metrics. */
export interface ScrapeTarget {
  /** Tells it from others, over restarts: the pod's name, or host and port. @default host and port of the URL */
  readonly name?: string;
  /** Of its `/metrics`. */
  readonly url: URL;
}

/** An arm's processes, and which of their series are the arm's. */
export interface ScrapeArm extends SampleChoice {
  /** Asked at every look where pods come and go. */
  readonly targets: readonly ScrapeTarget[] | (() => Promise<readonly ScrapeTarget[]>);
}

export interface ScrapeOptions extends QuestionOptions {
  /** What the server calls its metrics. */
  readonly profile: ServingProfile;
  readonly canary: ScrapeArm;
  readonly baseline: ScrapeArm;
}

/** Targets that are read at most: beyond, Prometheus is the one to ask. */
const mostTargets = 200;

/**
 * Reads `/metrics` of every process of both arms itself: no Prometheus is needed, and counts are as of now. A process that does not answer
 * is a remark, its series is missing; if none answers, that is an error. Throws an InputError for a profile that does not count errors.
 */
export function openScrape(options: ScrapeOptions): MetricsSource {
  return new Scrape(options);
}

interface Seen {
  readonly samples: readonly Sample[];
  readonly at: number;
  readonly remarks: readonly string[];
}

class Scrape implements MetricsSource {
  readonly name = 'scrape';
  readonly title: string;
  readonly #options: ScrapeOptions;
  readonly #asker: HttpAsker;

  constructor(options: ScrapeOptions) {
    refuseBlindProfile(options.profile);
    this.#options = options;
    this.#asker = new HttpAsker(options);
    this.title = printable(`/metrics of ${options.profile.title}`);
  }

  async read(signal?: AbortSignal): Promise<Reading> {
    signal?.throwIfAborted();
    const { canary, baseline } = this.#options;
    const [canaryTargets, baselineTargets] = await Promise.all([targetsOf(canary), targetsOf(baseline)]);
    const urls = new Map([...canaryTargets, ...baselineTargets].map(({ url }) => [url.href, url]));
    if (urls.size > mostTargets) throw tooManyTargets(urls.size);
    // Both arms may be in one process, and are then read at one time.
    const seen = new Map(
      await Promise.all([...urls].map(async ([href, url]) => [href, await this.#scrape(url, signal)] as const)),
    );
    const failures = [...seen.values()].flatMap((one) => ('problem' in one ? [one.problem] : []));
    const [first, ...others] = failures;
    if (first !== undefined && failures.length === urls.size) throw new PeerError([first, ...others.slice(0, 9)]);
    const remarks = new Set<string>();
    const arm = (name: 'canary' | 'baseline', targets: readonly ScrapeTarget[]): readonly SeriesCounts[] => {
      const series = targets.flatMap((target) => {
        const id = printable(target.name ?? target.url.host);
        const one = seen.get(target.url.href);
        if (one === undefined || 'problem' in one) {
          remarks.add(`${id} of the ${name} could not be read: ${one?.problem.message ?? 'it was not asked'}.`);
          return [];
        }
        for (const remark of one.remarks) remarks.add(`${id}: ${remark}`);
        const counts = countsOfTarget(this.#options.profile, one.samples, { id, at: one.at }, this.#options[name]);
        return counts === undefined ? [] : [counts];
      });
      if (series.length === 0) {
        remarks.add(`The ${name} shows no requests: no process of it is there, or it has had none.`);
      }
      return series;
    };
    return {
      canary: arm('canary', canaryTargets),
      baseline: arm('baseline', baselineTargets),
      remarks: [...remarks],
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#asker[Symbol.asyncDispose]();
  }

  async #scrape(url: URL, signal: AbortSignal | undefined): Promise<Seen | { readonly problem: Problem }> {
    try {
      const accept = 'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8';
      const { status, text, contentType, at } = await this.#asker.ask({ url, headers: { accept }, signal });
      if (status !== 200) return { problem: refused(url, status, text) };
      const format = formatOf(contentType);
      const { samples, errors } = parseExposition(text, format === undefined ? {} : { format });
      const [error] = errors;
      if (samples.length === 0 || error?.code === 'too-large' || error?.code === 'no-end') {
        return { problem: noMetrics(url, text, error?.message) };
      }
      const remarks = error === undefined ? [] : [`line ${error.line} is no metric: ${printable(error.message)}`];
      return { samples, at, remarks };
    } catch (cause) {
      if (cause instanceof PeerError) return { problem: cause.problems[0] };
      throw cause;
    }
  }
}

/** Throws an InputError for a profile that counts no errors: no error seen would be no error. */
export function refuseBlindProfile(profile: ServingProfile): void {
  if (tellsErrors(profile)) return;
  throw new InputError({
    code: 'no-errors-told',
    message: `${profile.title} does not count its errors`,
    fix: profile.absent.outcomes ?? 'Take the metrics from the mesh in front of it (server: istio).',
  });
}

async function targetsOf({ targets }: ScrapeArm): Promise<readonly ScrapeTarget[]> {
  return typeof targets === 'function' ? await targets() : targets;
}

function refused(url: URL, status: number, text: string): Problem {
  const closed = status === 401 || status === 403;
  return {
    code: closed ? 'metrics-closed' : 'metrics-refused',
    message: `${shownUrl(url)} answers HTTP ${status}`,
    ...(text === '' ? {} : { found: excerpt(text) }),
    fix: closed ? 'Give the token it asks for.' : 'Check the port and the path of the metrics, often /metrics.',
  };
}

function noMetrics(url: URL, text: string, trouble: string | undefined): Problem {
  return {
    code: 'no-metrics',
    message: `what ${shownUrl(url)} answers is not the text of metrics${trouble === undefined ? '' : `: ${printable(trouble)}`}`,
    found: excerpt(text),
    fix: 'Check the port and the path of the metrics, often /metrics.',
  };
}

function tooManyTargets(count: number): PeerError {
  return new PeerError({
    code: 'too-many-targets',
    message: `${count} processes are too many to read one by one`,
    expected: `at most ${mostTargets}`,
    fix: 'Let Prometheus read them, and ask it (metrics.source: prometheus).',
  });
}
