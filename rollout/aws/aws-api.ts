import type { z } from 'zod';
import { PeerError, type Problem } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import { HttpAsker, type PlainAnswer, shownUrl } from '../http-question.ts';
import { Backoff } from '../kubernetes/backoff.ts';
import { isExpired, isPassing, isSkewed, refusalProblem, refusedBy } from './aws-refusal.ts';
import type { AwsCredentialSource } from './credentials.ts';
import { awsDomain } from './region.ts';
import { signedHeaders } from './signature.ts';

/** The services that are spoken to, in AWS's JSON protocols. */
const services = {
  sagemaker: { host: 'api.sagemaker', signing: 'sagemaker', target: 'SageMaker', version: '1.1' },
  cloudwatch: { host: 'monitoring', signing: 'monitoring', target: 'GraniteServiceVersion20100801', version: '1.0' },
} as const;

export type AwsService = keyof typeof services;

export interface AwsPlace {
  readonly region: string;
  readonly credentials: AwsCredentialSource;
  /** Where it is not AWS's own: a VPC endpoint. @default AWS_ENDPOINT_URL_SAGEMAKER and the like, else AWS's */
  readonly endpoint?: URL | undefined;
  /** Milliseconds to go on asking while AWS throttles or fails. @default 20000 */
  readonly patienceMs?: number | undefined;
}

/**
 * One AWS service over its JSON protocol. The SDK's clients are not used: there would be one of some hundred kilobytes for each service, and
 * their errors hold whole requests. AWS's own libraries find the credentials and sign.
 *
 * Throttling, 5xx and lost connections are asked again within the patience, with pauses that double and vary by chance; so a change may be
 * asked for twice, and its caller reads back. Expired credentials are renewed once; where AWS says that the clock is wrong, its own time is
 * signed with.
 */
export class AwsApi implements AsyncDisposable {
  readonly #service: AwsService;
  readonly #place: AwsPlace;
  readonly #url: URL;
  readonly #asker: HttpAsker;
  /** How far AWS's clock is ahead of ours, in milliseconds; `undefined`: it has not answered yet. */
  #ahead: number | undefined;

  constructor(service: AwsService, place: AwsPlace) {
    this.#service = service;
    this.#place = place;
    this.#url = place.endpoint ?? endpointOf(service, place.region);
    this.#asker = new HttpAsker({ timeoutMs: 15_000 });
  }

  /** AWS's time by its last answer, in milliseconds of the epoch; `undefined` before the first. */
  get now(): number | undefined {
    return this.#ahead === undefined ? undefined : Date.now() + this.#ahead;
  }

  /**
   * One call. `title`: what it is about, for people. Throws a PeerError for refusals (`aws-refusal.ts` has their codes) and for answers
   * that are not of the API.
   */
  async call<Answer>(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    answer: z.ZodType<Answer>,
    { title, signal }: { readonly title: string; readonly signal?: AbortSignal | undefined },
  ): Promise<Answer> {
    const text = await this.#insist(operation, JSON.stringify(input), title, signal);
    const parsed = answer.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new PeerError({
      code: 'broken-answer',
      message: `what ${shownUrl(this.#url)} answers to ${operation} is not of AWS's API`,
      found: excerpt(issue === undefined ? text : `${issue.path.map(String).join('.')} ${issue.message}`, 200),
      fix: 'See whether a proxy answers in its place, and AWS_ENDPOINT_URL.',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
  }

  async #insist(operation: string, body: string, title: string, signal: AbortSignal | undefined): Promise<string> {
    const { patienceMs = 20_000 } = this.#place;
    const began = performance.now();
    const backoff = new Backoff();
    let renewed = false;
    let corrected = false;
    for (;;) {
      const { answer, problem: lost } = await this.#ask(operation, body, renewed, signal);
      if (answer?.status === 200) return answer.text;
      let problem = lost;
      let pause = 0;
      if (answer !== undefined) {
        const refused = refusedBy(answer);
        const action = `${this.#service}:${operation}`;
        if (isExpired(refused) && !renewed) {
          renewed = true;
          continue;
        }
        if (isSkewed(refused) && !corrected) {
          corrected = true;
          continue;
        }
        problem = refusalProblem(refused, { action, title });
        if (!isPassing(refused)) throw new PeerError(problem);
        pause = 1000 * Number(/^\d{1,3}$/.exec(answer.headers['retry-after'] ?? '')?.[0] ?? 0);
      }
      if (problem === undefined) throw new Error('neither an answer nor why there is none');
      if (performance.now() - began + pause > patienceMs) throw new PeerError(problem);
      await backoff.wait(pause, signal);
    }
  }

  /** One exchange: an answer of any status, or why none came that a second try may bring. */
  async #ask(
    operation: string,
    body: string,
    fresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<
    { readonly answer: PlainAnswer; readonly problem?: never } | { readonly answer?: never; readonly problem: Problem }
  > {
    const { signing, target, version } = services[this.#service];
    const headers = await signedHeaders(
      {
        method: 'POST',
        url: this.#url,
        headers: {
          'content-type': `application/x-amz-json-${version}`,
          'x-amz-target': `${target}.${operation}`,
        },
        body,
      },
      {
        credentials: await this.#place.credentials(fresh),
        region: this.#place.region,
        service: signing,
        at: new Date(this.now ?? Date.now()),
      },
    );
    try {
      const answer = await this.#asker.ask({ url: this.#url, body, headers, signal });
      const date = Date.parse(answer.headers['date'] ?? '');
      if (Number.isFinite(date)) this.#ahead = date - answer.at;
      return { answer };
    } catch (cause) {
      if (cause instanceof PeerError) return { problem: cause.problems[0] };
      throw cause;
    }
  }
}

function endpointOf(service: AwsService, region: string): URL {
  const given =
    process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ?? process.env['AWS_ENDPOINT_URL'] ?? undefined;
  if (given !== undefined && URL.canParse(given)) return new URL(given);
  return new URL(`https://${services[service].host}.${region}.${awsDomain(region)}/`);
}
