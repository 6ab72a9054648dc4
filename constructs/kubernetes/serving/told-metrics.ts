import type { ServingProfileName } from '../../../core/telemetry/index.ts';
import type { ConstructProblem } from '../problem.ts';
import type { MetricsEndpoint } from './server-program.ts';

/** Where a server that KServe or Seldon runs tells its metrics, for one that is not known here. */
export interface ToldMetrics {
  /** On which the container listens, whether it declares that port or not. */
  readonly port: number;
  /** @default '/metrics' */
  readonly path?: string;
  /** What its series mean. @default none: they are scraped, and no alerts or dashboard can be made of them */
  readonly profile?: ServingProfileName;
}

/** The endpoint that a user tells of, in the container of that name. */
export function toldEndpoint(container: string, { port, path = '/metrics', profile }: ToldMetrics): MetricsEndpoint {
  return { port, container, path, ...(profile === undefined ? {} : { profile }) };
}

/** What is wrong with what a user tells. */
export function toldProblems(told: ToldMetrics | undefined): readonly ConstructProblem[] {
  if (told === undefined) return [];
  const { port, path = '/metrics' } = told;
  const problems: readonly (ConstructProblem | false)[] = [
    !(Number.isInteger(port) && port >= 1 && port <= 65_535) && {
      code: 'bad-port',
      message: 'metrics.port is no port',
      found: String(port),
      expected: '1 to 65535',
      fix: 'Set it to the port on which the container tells its metrics.',
    },
    !path.startsWith('/') && {
      code: 'bad-path',
      message: 'metrics.path does not start with "/"',
      found: path,
      fix: 'Write it as /metrics.',
    },
  ];
  return problems.filter((each) => each !== false);
}
