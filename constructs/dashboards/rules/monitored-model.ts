import {
  type Dimension,
  type ExactMatcher,
  isNoQuery,
  type NoQuery,
  type QueryScope,
  type Selector,
  type ServingProfile,
  type ServingProfileName,
  selectorText,
  servingProfiles,
} from '../../../core/telemetry/index.ts';

/** Whose numbers rules and dashboards are about. */
export interface MonitoredModel {
  /** Which server's metrics: a name of `servingProfiles`. */
  readonly profile: ServingProfileName;
  /**
   * Of all its series, these: by model, namespace, or labels of the target (`labels: { job: 'churn' }`).
   * @default all that Prometheus has of this server, each model for itself
   */
  readonly selector?: Selector<ExactMatcher>;
}

/** A rule that could not be made, because the server does not show what it needs. */
export interface AbsentRule {
  readonly alert: string;
  readonly reason: string;
  readonly fix: string;
}

type Grouping = NonNullable<QueryScope['by']>;

/** What tells one model from another in the series of a server. */
export function modelScope({ profile, selector = {} }: MonitoredModel): {
  readonly profile: ServingProfile;
  readonly selector: Selector<ExactMatcher>;
  readonly by: Grouping;
} {
  const found: ServingProfile = servingProfiles[profile];
  const dimensions: readonly Dimension[] = found.labels.model === undefined ? ['namespace'] : ['namespace', 'model'];
  const labels = Object.keys(selector.labels ?? {}).map((label) => ({ label }));
  return { profile: found, selector, by: [...dimensions, ...labels] };
}

/** The same for the metrics of Sluice's own jobs, which have Sluice's labels whatever server the model runs in. */
export function ownScope(model: MonitoredModel): ReturnType<typeof modelScope> {
  return modelScope({ ...model, profile: 'sluice' });
}

/**
 * Conditions for recorded series, which have no other labels than they were grouped by. What a selector says beyond that was said when they
 * were recorded.
 */
export function recordedSelector({ profile, selector }: ReturnType<typeof modelScope>): string | NoQuery {
  const { model, namespace, labels } = selector;
  return selectorText(profile, {
    ...(model === undefined || profile.labels.model === undefined ? {} : { model }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
  });
}

/** `churn of shop` in an annotation: Prometheus puts the labels' values in. */
export function modelName({ profile }: ReturnType<typeof modelScope>): string {
  const { model } = profile.labels;
  const namespace = `{{ with $labels.${profile.labels.namespace ?? 'namespace'} }} in {{ . }}{{ end }}`;
  return model === undefined ? `The model server${namespace}` : `Model {{ $labels.${model} }}${namespace}`;
}

/** As an absent rule, where there is no question to ask. */
export function absentRule(alert: string, result: object): readonly AbsentRule[] {
  return isNoQuery(result) ? [{ alert, reason: result.reason, fix: result.fix }] : [];
}
