import { type App, Chart, Duration } from 'cdk8s';
import { KedaAutoscaler, OnnxDeployment } from '../../constructs/kubernetes/index.ts';

/** A churn model on CPUs, scaled on the requests that wait. In your own project import from `sluice/constructs/kubernetes`. */
export function charts(app: App): void {
  const chart = new Chart(app, 'churn', { namespace: 'shop' });
  const churn = new OnnxDeployment(chart, 'churn', {
    image:
      'registry.example.com/sluice-serve:1.4.0@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
    model: { name: 'churn', version: '3' },
    file: {
      uri: 's3://models/churn/3/model.onnx',
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
    replicas: { min: 2, max: 8 },
    cpu: 2,
    memory: '1Gi',
    latencyBudget: Duration.millis(100),
    serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/churn-models' },
  });
  new KedaAutoscaler(chart, 'churn-scaling', {
    target: churn,
    prometheus: 'http://prometheus.monitoring:9090',
    goals: { queued: 8, p95: Duration.millis(100) },
  });
}
