import { setTimeout as sleep } from 'node:timers/promises';

interface Answers {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function ask(prometheus: string, expr: string): Promise<Answers> {
  const response = await fetch(`${prometheus}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
  });
  return (await response.json()) as Answers;
}

/** Expressions that still have no number after the patience; those Prometheus refuses at once, with what it said. */
export async function unanswered(
  prometheus: string,
  expressions: readonly string[],
  patienceMs: number,
): Promise<readonly string[]> {
  const until = performance.now() + patienceMs;
  let left = expressions;
  for (;;) {
    const answers = await Promise.all(left.map(async (expr) => ({ expr, answer: await ask(prometheus, expr) })));
    const refused = answers.filter(({ answer }) => answer.status !== 'success');
    if (refused.length > 0) return refused.map(({ expr, answer }) => `${expr}: ${answer.error}`);
    left = answers
      .filter(({ answer }) => answer.data?.result.some(({ value }) => Number.isFinite(Number(value[1]))) !== true)
      .map(({ expr }) => expr);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(500);
  }
}

/** As Grafana fills in its variables. */
export function filledIn(expr: string, more: Readonly<Record<string, string>>): string {
  const values: Readonly<Record<string, string>> = {
    __rate_interval: '5s',
    job: 'models',
    instance: '.+',
    model: 'good',
    version: '.+',
    pod: '.+',
    canary: '2',
    baseline: '1',
    ...more,
  };
  return expr.replace(/\$(\w+)/g, (_, name: string) => values[name] ?? '');
}
