import { customKind } from './custom-resource.ts';

/** https://grafana.github.io/grafana-operator/docs/api/ (v5) */
export interface GrafanaDashboardSpec {
  /** Which Grafanas show it. */
  readonly instanceSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly json: string;
  readonly folder?: string | undefined;
  readonly resyncPeriod: string;
  /** Grafanas of other namespaces, too. */
  readonly allowCrossNamespaceImport?: boolean | undefined;
}
export const grafanaDashboard = customKind<GrafanaDashboardSpec>(
  'grafana.integreatly.org/v1beta1',
  'GrafanaDashboard',
  'grafanadashboards.grafana.integreatly.org',
);
