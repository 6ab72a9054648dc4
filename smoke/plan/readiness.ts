import type { Host } from '../../core/host/index.ts';
import { describeProblem, type Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { counted } from '../../core/text/index.ts';
import type { Protocol, Readiness } from '../protocol.ts';
import { adviceOnStatus } from './advice.ts';
import type { Clock } from './clock.ts';
import { durationText } from './duration.ts';
import { checkOf } from './smoke-check.ts';

const firstWait = 250;
const longestWait = 5000;

/** Answers that waiting does not mend: who asks is not let in. */
const refusedStatus: ReadonlySet<number | string> = new Set([401, 403, 'UNAUTHENTICATED', 'PERMISSION_DENIED']);
/** Neither does it mend a certificate that is not trusted, a redirect to another host, or a proxy that says no. */
const finalProblem = /^(tls-|not-tls|not-http|redirected|forbidden-address|proxy-refused)/;

/**
 * Asks the server until it is ready or `deadline` milliseconds are over, waiting twice as long after each try (from a quarter of a
 * second to five), each wait shortened by chance to at least its half, so that many jobs do not ask in step. Nothing else of a plan is retried.
 *
 * A server that is not ready in time fails. One that does not let us ask (401, 403) or whose certificate is not trusted could not be
 * judged: `error`, at once.
 */
export async function waitUntilReady(
  protocol: Pick<Protocol, 'ready'>,
  options: { readonly deadline: number; readonly place: Place; readonly clock: Clock; readonly host: Host },
): Promise<Check> {
  const { deadline, place, clock, host } = options;
  const demand = {
    id: 'ready',
    title: `ready within ${durationText(deadline)}`,
    place,
    bound: { kind: 'must_hold', value: 'an answer that says so' },
  } as const;
  const start = clock.now();
  const progress = host.progress('Wait until the server is ready');
  let wait = firstWait;
  let tries = 0;
  try {
    for (;;) {
      const answer = await protocol.ready();
      tries++;
      const spent = clock.now() - start;
      if (answer.ready) {
        return checkOf(demand, {
          status: 'pass',
          said: [`It was ready after ${durationText(spent)}, asked ${counted(tries, 'time')}`],
          observed: `after ${durationText(spent)}`,
        });
      }
      if (isFinal(answer)) {
        return checkOf(demand, { status: 'error', said: [lastAnswer(answer), ...adviceOnStatus(answer.status)] });
      }
      const left = deadline - spent;
      if (left <= 0) {
        return checkOf(demand, {
          status: 'fail',
          said: [
            `It was not ready after ${durationText(spent)}, asked ${counted(tries, 'time')}`,
            `The last answer: ${lastAnswer(answer)}`,
            ...adviceOnStatus(answer.status),
          ],
          observed: 'not ready',
        });
      }
      progress.update(Math.min(spent, deadline), deadline);
      await clock.sleep(Math.min(left, wait * (1 - clock.random() / 2)));
      wait = Math.min(longestWait, wait * 2);
    }
  } finally {
    progress.end();
  }
}

type NotReady = Extract<Readiness, { readonly ready: false }>;

function isFinal({ status, problem }: NotReady): boolean {
  return (status !== undefined && refusedStatus.has(status)) || finalProblem.test(problem.code);
}

function lastAnswer({ status, problem }: NotReady): string {
  const described = describeProblem(problem);
  return status === undefined || described.includes(String(status)) ? described : `${status}: ${described}`;
}
