import type { Host } from '../../core/host/index.ts';
import { describeProblem, type Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Protocol } from '../protocol.ts';
import { asked } from './golden-answers.ts';
import { checkOf } from './smoke-check.ts';

interface Options {
  readonly place: Place;
  readonly severity?: 'error' | 'warn' | undefined;
  readonly reason?: string | undefined;
  readonly host: Host;
}

/**
 * Sends what no sane client sends and expects a 4xx for each, then looks whether the server took harm: it must still be ready, and
 * `stillRight` (when given) must find nothing wrong. `stillRight` gives a clause that says what is.
 */
export async function malformedChecks(
  protocol: Pick<Protocol, 'malformed' | 'ready'>,
  stillRight: (() => Promise<string | undefined>) | undefined,
  { host, ...of }: Options,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const requests = protocol.malformed();
  const progress = host.progress('Send malformed requests');
  try {
    for (const [index, request] of requests.entries()) {
      const { answer, lost } = await asked(() => request.send());
      const demand = {
        ...of,
        id: `malformed/${slug(request.title)}`,
        title: `${excerpt(request.title, 60)} is refused`,
        bound: { kind: 'must_hold', value: 'answered with a 4xx' },
      } as const;
      if (answer === undefined) {
        checks.push(
          checkOf(demand, {
            status: 'fail',
            said: [`No answer came: ${lost ?? ''}`, 'A refusal is an answer too; a client would wait or retry'],
          }),
        );
      } else {
        const status = answer.status >= 400 && answer.status < 500 ? 'pass' : 'fail';
        const said = `The server answered ${answer.status}${answer.refusal === undefined ? '' : ` (${excerpt(answer.refusal, 160)})`}`;
        checks.push(
          checkOf(demand, {
            status,
            said: [said, ...(status === 'pass' ? [] : [wrongBecause(answer.status)])],
            observed: String(answer.status),
          }),
        );
      }
      progress.update(index + 1, requests.length);
    }
  } finally {
    progress.end();
  }
  if (requests.length > 0) checks.push(await afterwards(protocol, stillRight, of));
  return checks;
}

function wrongBecause(status: number): string {
  if (status < 400) return "It took a broken request for a good one, so a caller's mistake goes unnoticed";
  return 'A 5xx blames the server: callers retry, alerts ring, and load balancers take it out of service';
}

async function afterwards(
  protocol: Pick<Protocol, 'ready'>,
  stillRight: (() => Promise<string | undefined>) | undefined,
  of: Omit<Options, 'host'>,
): Promise<Check> {
  const demand = {
    ...of,
    id: 'malformed/afterwards',
    title: 'healthy and right after malformed requests',
    bound: { kind: 'must_hold', value: 'as before' },
  } as const;
  const ready = await protocol.ready();
  if (!ready.ready) {
    return checkOf(demand, { status: 'fail', said: [`It is no longer ready: ${describeProblem(ready.problem)}`] });
  }
  const wrong = await stillRight?.();
  return wrong === undefined
    ? checkOf(demand, {
        status: 'pass',
        said: [`It is ready${stillRight === undefined ? '' : ' and answers a golden input as before'}`],
      })
    : checkOf(demand, { status: 'fail', said: [`It is ready, but ${wrong}`] });
}

/** `a wrong shape` -> `a-wrong-shape`: ids are stable and plain. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
