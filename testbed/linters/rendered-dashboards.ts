import type { LintedDashboard } from './dashboard-linter.ts';
import type { ManifestFile } from './manifest-files.ts';

/** The dashboards in manifests, for Grafana's sidecar or for its operator. */
export function renderedDashboards(files: readonly ManifestFile[]): readonly LintedDashboard[] {
  return files.flatMap(({ from, manifests }) =>
    manifests
      .flatMap(({ kind, metadata, spec, ...manifest }): readonly string[] => {
        if (kind === 'GrafanaDashboard') return [spec.json];
        return metadata.labels?.['grafana_dashboard'] === '1' ? Object.values(manifest['data']) : [];
      })
      .map((text) => ({ from, json: JSON.parse(text) })),
  );
}
