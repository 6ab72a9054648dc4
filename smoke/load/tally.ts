import { type Hide, said } from '../../core/http/index.ts';
import type { Problem } from '../../core/problem/index.ts';
import { refusalText } from '../json-exchange.ts';
import type { Exchange } from './connection.ts';
import { Sample } from './sample.ts';

/** Requests that failed in one way. */
export interface LoadFailure {
  /**
   * `status`: an answer that is no 2xx. `wrong-answer`: the check found something. `timeout`, `connection-lost`, `connection-refused`,
   * `not-http`, `answer-too-big`, `tls-...`: no whole answer came; as the codes of `HttpClient`'s problems.
   */
  readonly code: string;
  /** What came back, printable, without secrets. */
  readonly said: string;
  readonly count: number;
}

/** What a load has shown. */
export interface LoadResult {
  /**
   * Milliseconds of requests that were answered well, in no particular order. Closed: from the first byte sent. Open: from the moment the
   * request was due. From a million on, a uniform sample of all.
   */
  readonly latenciesMs: readonly number[];
  /** Requests that were due, the warm-up left out. */
  readonly sent: number;
  readonly answered: number;
  readonly failures: readonly LoadFailure[];
  /** How often each status came. */
  readonly statuses: Readonly<Record<number, number>>;
  /** From the first measured request to the end of the last one. */
  readonly seconds: number;
  /** Connections that were opened, the warm-up's counted: many more than callers mean that the server does not keep them. */
  readonly connections: number;
  /**
   * Open: milliseconds that requests left later than they were due since this machine was busy, as the 99th percentile. It is part of their
   * latencies; when it is a good part of them, the machine is too small for the rate.
   */
  readonly lagP99Ms?: number;
}

/** Says what is wrong with an answer of 2xx; undefined if nothing. `index` is that of the request. */
export type AnswerCheck = (
  answer: { readonly status: number; readonly body: Uint8Array },
  index: number,
) => string | undefined;

const mostSamples = 1_000_000;
/** Servers may say something else every time. */
const mostKindsOfFailure = 50;

/** Counts what comes, in bounded memory. */
export class Tally {
  readonly latencies = new Sample(mostSamples);
  readonly lags = new Sample(10_000);
  sent = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = 0;
  readonly #statuses = new Map<number, number>();
  readonly #failures = new Map<string, LoadFailure>();
  readonly #hide: Hide;
  readonly #check: AnswerCheck | undefined;

  constructor(hide: Hide, check: AnswerCheck | undefined) {
    this.#hide = hide;
    this.#check = check;
  }

  /** `from`: what the latency counts from, in nanoseconds. */
  count({ ended, answer }: Pick<Exchange, 'ended' | 'answer'>, from: number, index: number): void {
    this.sent++;
    this.#first = Math.min(this.#first, from);
    this.#last = Math.max(this.#last, ended);
    if ('lost' in answer) {
      this.#failed(answer.lost.code, whatWasLost(answer.lost));
      return;
    }
    const { status, body } = answer;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status < 200 || status > 299) {
      const refusal = refusalText(answer, this.#hide);
      const told = refusal === `HTTP ${status}` ? '' : ` ${refusal}`;
      this.#failed('status', `${status}${told}`);
      return;
    }
    const wrong = this.#check?.({ status, body }, index);
    if (wrong === undefined) this.latencies.add((ended - from) / 1e6);
    else this.#failed('wrong-answer', said(wrong, this.#hide));
  }

  result(connections: number): LoadResult {
    const lags = this.lags.values().slice().sort();
    const lag = lags[Math.max(0, Math.ceil(lags.length * 0.99) - 1)];
    return {
      latenciesMs: Array.from(this.latencies.values()),
      sent: this.sent,
      answered: this.latencies.count,
      failures: [...this.#failures.values()].toSorted((one, other) => other.count - one.count),
      statuses: Object.fromEntries(this.#statuses),
      seconds: this.sent === 0 ? 0 : (this.#last - this.#first) / 1e9,
      connections,
      ...(lag === undefined ? {} : { lagP99Ms: lag }),
    };
  }

  #failed(code: string, text: string): void {
    const known = this.#failures.has(`${code} ${text}`) || this.#failures.size < mostKindsOfFailure;
    const shown = known ? text : 'something else';
    const key = `${code} ${shown}`;
    this.#failures.set(key, { code, said: shown, count: (this.#failures.get(key)?.count ?? 0) + 1 });
  }
}

function whatWasLost({ message, found }: Problem): string {
  return found === undefined ? message : `${message}: ${found}`;
}
