import { stringify } from 'yaml';
import type { Severity } from '../../dashboards/index.ts';

/** Where alerts of a severity go, and how often they are told again while they last. */
export interface AlertReceiver {
  readonly severity: Severity;
  readonly topicArn: string;
  /** As Prometheus writes durations: `4h`. */
  readonly again: string;
}

/**
 * The configuration of an Alertmanager that hands alerts over to SNS, by their severity; what has no receiver is kept and told nobody.
 * https://prometheus.io/docs/alerting/latest/configuration/
 */
export function alertManager(receivers: readonly AlertReceiver[], region: string): string {
  return stringify(
    {
      route: {
        receiver: 'nobody',
        // One message for what is wrong with one model.
        group_by: ['alertname', 'namespace', 'model_name'],
        group_wait: '30s',
        group_interval: '5m',
        routes: receivers.map(({ severity, again }) => ({
          receiver: severity,
          matchers: [`severity="${severity}"`],
          repeat_interval: again,
        })),
      },
      receivers: [
        { name: 'nobody' },
        ...receivers.map(({ severity, topicArn }) => ({
          name: severity,
          sns_configs: [
            {
              topic_arn: topicArn,
              sigv4: { region },
              send_resolved: true,
              // At most a hundred characters of ASCII, as SNS wants: the names of our alerts are.
              subject: '{{ .Status | toUpper }} {{ .CommonLabels.alertname }}',
              message,
              attributes: { severity },
            },
          ],
        })),
      ],
    },
    { lineWidth: 0 },
  );
}

const message = [
  '{{ range .Alerts }}{{ .Status | toUpper }}: {{ .Annotations.summary }}',
  '{{ .Annotations.description }}',
  '{{ .Annotations.runbook }}{{ with .Annotations.runbook_url }} {{ . }}{{ end }}',
  '',
  '{{ end }}',
].join('\n');

/** The form in which Managed Prometheus takes it: the configuration as a text within a YAML file. */
export function alertManagerDefinition(config: string): string {
  return `alertmanager_config: |\n${config.replaceAll(/^(?=.)/gm, '  ')}`;
}
