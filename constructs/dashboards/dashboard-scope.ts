import {
  isNoQuery,
  type Matcher,
  type NoQuery,
  type Query,
  type QueryScope,
  type Selector,
  type ServingProfile,
  selectorText,
  servingProfiles,
  targetLabels,
} from '../../core/telemetry/index.ts';
import type { Panel, PanelQuery, PanelSource } from './panel.ts';

const window = '$__rate_interval';

/** A panel's query that may turn out not to be there, with its legend. */
export type Asked = readonly [question: Query | NoQuery, legend: string];

/** What a dashboard's panels ask about: what the reader chose in its variables. */
export class DashboardScope {
  readonly profile: ServingProfile;
  /** The labels of the server for what a legend tells apart; the target's where the server has none. */
  readonly label: { readonly version: string; readonly model: string | undefined };
  readonly #absent: string[] = [];

  constructor(profile: ServingProfile) {
    this.profile = profile;
    this.label = { version: profile.labels.version ?? targetLabels.version, model: profile.labels.model };
  }

  /** Panels that cannot be had from this server, and why. */
  get absent(): readonly string[] {
    return this.#absent;
  }

  /** Of the model server. */
  server(by: NonNullable<QueryScope['by']> = [], more: Selector = {}): QueryScope {
    return { selector: { ...this.#selector(this.profile, targets), ...more }, window, by };
  }

  /** Of Sluice's own metrics on the server: the same, by Sluice's labels. */
  own(by: NonNullable<QueryScope['by']> = []): QueryScope {
    return { selector: this.#selector(servingProfiles.sluice, targets), window, by };
  }

  /** Of what jobs beside the server tell: their job is not the server's. */
  job(by: NonNullable<QueryScope['by']> = []): QueryScope {
    return { selector: this.#selector(servingProfiles.sluice, {}), window, by };
  }

  /** Of the pods the server runs in. */
  pods(by: NonNullable<QueryScope['by']> = []): QueryScope {
    return { selector: { namespace: { variable: '$namespace' }, pod: { variable: '$pod' } }, window, by };
  }

  /** Conditions for recorded series of Sluice's metrics, in braces. */
  recorded(version: string = '$version'): string {
    const text = selectorText(servingProfiles.sluice, {
      model: { variable: '$model' },
      version: { variable: version },
      namespace: { variable: '$namespace' },
    });
    return typeof text === 'string' ? text : '';
  }

  /** A panel of those questions that there are; none if there is none. */
  panel(
    facts: Omit<Panel, 'queries' | 'unit' | 'source'> & { readonly source?: PanelSource },
    ...asked: readonly Asked[]
  ): readonly Panel[] {
    const there = asked.flatMap(([question, legend]) => (isNoQuery(question) ? [] : [{ question, legend }]));
    const [first] = there;
    if (first === undefined) {
      const reasons = asked.flatMap(([question]) =>
        isNoQuery(question) ? [`${question.reason}. ${question.fix}`] : [],
      );
      this.#absent.push(`${facts.title}: ${reasons[0] ?? ''}`);
      return [];
    }
    const notes = [...new Set(there.flatMap(({ question }) => question.notes))];
    const queries: readonly PanelQuery[] = there.map(({ question, legend }) => ({ expr: question.expr, legend }));
    const description = [facts.description, ...notes].join(' ');
    return [{ ...facts, source: facts.source ?? 'server', description, unit: first.question.unit, queries }];
  }

  #selector({ labels }: ServingProfile, more: Readonly<Record<string, Matcher>>): Selector {
    return {
      ...(labels.model === undefined ? {} : { model: { variable: '$model' } }),
      version: { variable: '$version' },
      namespace: { variable: '$namespace' },
      labels: more,
    };
  }
}

const targets = { job: { variable: '$job' }, instance: { variable: '$instance' } } as const;
