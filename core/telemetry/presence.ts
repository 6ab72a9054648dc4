import type { ExactMatcher, Matcher } from './promql-text.ts';
import { aggregated, isNoQuery, type NoQuery, type Query, type QueryScope, type Selector, scopeText } from './query.ts';
import { resourceSeries } from './resource-series.ts';
import { servingMetrics } from './serving-metrics.ts';
import { type ServingProfile, targetLabels } from './serving-profile.ts';

/** The conditions of a selector in braces, empty if there are none: for recorded series, which have the server's label names. */
export function selectorText(
  profile: Pick<ServingProfile, 'title' | 'labels'>,
  selector: Selector<Matcher>,
): string | NoQuery {
  const text = scopeText(profile, { selector, window: '5m' });
  return isNoQuery(text) ? text : text.matchers();
}

/**
 * 1 while nothing shows these series: a server that is gone has no errors. Our server tells of a model from its start on. Others tell after
 * the first request, so of them only the scraping is asked, and what the selector says of the model is left out.
 */
export function modelMissing(profile: ServingProfile, selector: Selector<ExactMatcher>): Query | NoQuery {
  const own = profile.name === 'sluice';
  const text = scopeText(profile, { selector, window: '5m' }, !own);
  if (isNoQuery(text)) return text;
  const [series, condition] = own ? [servingMetrics.ready.name, ''] : [resourceSeries.up.series, ' == 1'];
  if (!own && text.matchers() === '')
    return {
      reason: `nothing tells the servers of ${profile.title} from other targets`,
      fix: 'Select by namespace or by job (labels).',
    };
  return { expr: `absent(${series}${text.matchers()}${condition})`, unit: 'number', labels: [], notes: text.notes };
}

/**
 * Versions that only some of the processes of one release serve: the number of those processes, by version. A release is what the target's
 * label for the version names, so that the two sides of a canary are held apart.
 * @param scope `by`: what a model is told from others by; must not have the version
 */
export function versionSkew(profile: ServingProfile, scope: Omit<QueryScope, 'window'>): Query | NoQuery {
  if (profile.labels.version === undefined)
    return {
      reason: `${profile.title} does not say which version it serves`,
      fix: 'Compare the images or the label sluice.dev/model-version of the pods.',
    };
  const by = [...(scope.by ?? []), { label: targetLabels.version }];
  const release = scopeText(profile, { ...scope, by, window: '5m' });
  const version = scopeText(profile, { ...scope, by: [...by, 'version'], window: '5m' });
  if (isNoQuery(release)) return release;
  if (isNoQuery(version)) return version;
  const [series, serves] =
    profile.name === 'sluice' ? [servingMetrics.ready.name, ' == 1'] : [profile.requests[0]?.series ?? '', ''];
  const shown = `${series}${release.matchers()}`;
  const processes = (labels: readonly string[], each: string) =>
    `count by (${labels.join(',')}) (group by (${[...labels, 'instance'].join(',')}) (${each}))`;
  return {
    expr: `${processes(version.by, `${shown}${serves}`)} < on(${release.by.join(',')}) group_left() ${processes(release.by, shown)}`,
    unit: 'number',
    labels: version.by,
    notes: version.notes,
  };
}

/** How many versions of a model take requests. More than one: a canary, or what was left of one. */
export function versionsInUse(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  const each = scopeText(profile, { ...scope, by: [...(scope.by ?? []), 'version'] });
  const all = scopeText(profile, scope);
  if (isNoQuery(each)) return each;
  if (isNoQuery(all)) return all;
  const rates = profile.requests.map(
    ({ series, where }) => `${aggregated('sum', each.by, `rate(${series}${each.matchers(where)}[${each.range}])`)} > 0`,
  );
  return {
    expr: aggregated('count', all.by, rates.join(' or ')),
    unit: 'number',
    labels: all.by,
    notes: each.notes,
  };
}
