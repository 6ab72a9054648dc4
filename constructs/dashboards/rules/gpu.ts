import { gpuMemoryShare, isNoQuery, type QueryScope, resourceUsed } from '../../../core/telemetry/index.ts';
import { type AbsentRule, absentRule, type MonitoredModel } from './monitored-model.ts';
import type { AlertRule, RuleGroup } from './rule-group.ts';

export interface GpuSettings {
  /** Share of a GPU's memory above which little is left. @default 0.95 */
  readonly memory?: number;
  /** Load above which a GPU is the bottleneck. @default 0.95 */
  readonly saturated?: number;
  /** Load below which it is paid for in vain. @default 0.05 */
  readonly idle?: number;
  /** Share of a saturated GPU's memory below which there is room for larger batches. @default 0.7 */
  readonly roomForBatches?: number;
}

const gpu =
  '{{ $labels.gpu }}{{ with $labels.Hostname }} of {{ . }}{{ end }}{{ with $labels.pod }} (pod {{ . }}){{ end }}';

/** GPUs as NVIDIA's DCGM exporter shows them, by GPU and the pod that uses it. */
export function gpuRules(
  { selector = {} }: Pick<MonitoredModel, 'selector'>,
  settings: GpuSettings = {},
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const { namespace, pod } = selector;
  // The job of these series is the exporter's; only namespace and pod are the model server's.
  const scope: QueryScope = {
    selector: { ...(namespace === undefined ? {} : { namespace }), ...(pod === undefined ? {} : { pod }) },
    by: ['namespace', 'pod', { label: 'Hostname' }, { label: 'gpu' }],
    window: '5m',
  };
  const { memory = 0.95, saturated = 0.95, idle = 0.05, roomForBatches = 0.7 } = settings;
  const share = gpuMemoryShare(scope);
  const load = resourceUsed('gpuUtilization', scope);
  const error = resourceUsed('gpuError', scope);
  if (isNoQuery(share)) return { groups: [], absent: absentRule('GpuMemoryAlmostFull', share) };
  if (isNoQuery(load)) return { groups: [], absent: absentRule('GpuSaturated', load) };
  if (isNoQuery(error)) return { groups: [], absent: absentRule('GpuError', error) };
  const rules: readonly AlertRule[] = [
    {
      alert: 'GpuMemoryAlmostFull',
      expr: `${share.expr} > ${memory}`,
      for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `GPU ${gpu} has {{ $value | humanizePercentage }} of its memory in use.`,
        description: `For ten minutes it has been above ${memory * 100} %; the next larger batch may fail for want of memory.`,
        runbook:
          'Lower the largest batch or the number of instances a GPU. vLLM takes 90 % on purpose (--gpu-memory-utilization): raise the bound for it. ' +
          'Memory that only grows is a leak: restart the pod and look at what the version changed.',
      },
    },
    {
      alert: 'GpuSaturated',
      expr: `${load.expr} > ${saturated}`,
      for: '30m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `GPU ${gpu} has been busy {{ $value | humanizePercentage }} of the time.`,
        description: `For half an hour its load has been above ${saturated * 100} %: requests wait for it.`,
        runbook: 'Look at the time in the queue. If it grows: larger batches where latency allows, else more replicas.',
      },
    },
    {
      // A hint and nothing that acts: only a measurement says whether latency allows the larger batch.
      alert: 'GpuBatchCouldGrow',
      expr: `${share.expr} < ${roomForBatches} and ${load.expr} > ${saturated}`,
      for: '30m',
      labels: { severity: 'info' },
      annotations: {
        summary: `GPU ${gpu} is saturated with {{ $value | humanizePercentage }} of its memory in use.`,
        description: `For half an hour its load has been above ${saturated * 100} % and its memory below ${roomForBatches * 100} %: a larger batch may answer more requests with the same GPU.`,
        runbook:
          'Double the largest batch of the server (maxBatchSize and preferred sizes of Triton, --max-num-seqs of vLLM), measure the 95th percentile before and after, and keep it ' +
          'only where the latency budget holds. If the queue is empty there is nothing to gain.',
      },
    },
    {
      alert: 'GpuError',
      // The exporter goes on showing the last error; only a new one is news.
      expr: `${error.expr} > 0 unless ${error.expr} == last_over_time((${error.expr})[5m:1m] offset 15m)`,
      keep_firing_for: '15m',
      labels: { severity: 'critical' },
      annotations: {
        summary: `GPU ${gpu} reported error XID {{ $value }}.`,
        description: 'The driver reported an error that it had not reported a quarter of an hour before.',
        runbook:
          'Look the number up: https://docs.nvidia.com/deploy/xid-errors/. 13, 31, 43 and 45 mostly come from the program; 48, 63, 64, 74, 79, 94 and 95 from the ' +
          'hardware: cordon the node, drain it, have it reset or replaced.',
      },
    },
    {
      alert: 'GpuIdle',
      expr: `${load.expr} < ${idle}`,
      for: '6h',
      labels: { severity: 'info' },
      annotations: {
        summary: `GPU ${gpu} has been idle for six hours.`,
        description: `Its load is {{ $value | humanizePercentage }}, below ${idle * 100} %, while a pod holds it.`,
        runbook: 'Scale to fewer replicas, share the GPU (time slicing, MIG), or serve this model on the processor.',
      },
    },
  ];
  return { groups: [{ name: 'sluice-gpu', rules }], absent: [] };
}
