import {
  cpuThrottling,
  gpuMemoryShare,
  gpuMemoryUsed,
  gpuUtilization,
  resourceUsed,
} from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** GPUs of the pods, by NVIDIA's DCGM exporter, and as the server itself tells where it does. */
export function gpuRow(scope: DashboardScope): Row {
  const { profile } = scope;
  const each = scope.pods(['pod', { label: 'gpu' }]);
  const legend = '{{pod}} GPU {{gpu}}';
  const own = profile.gpu === undefined ? undefined : scope.server([{ label: profile.gpu.label }]);
  return {
    title: 'GPU',
    collapsed: true,
    panels: [
      ...scope.panel(
        { title: 'GPU load', description: 'The share of time in which a kernel ran.', source: 'cluster' },
        [resourceUsed('gpuUtilization', each), legend],
      ),
      ...scope.panel({ title: 'GPU memory', description: 'Bytes in use.', source: 'cluster' }, [
        resourceUsed('gpuMemoryUsed', each),
        legend,
      ]),
      ...scope.panel(
        {
          title: 'GPU memory in use',
          description: 'The share of the memory that is used.',
          source: 'cluster',
          bounds: [0.9, 0.95],
        },
        [gpuMemoryShare(each), legend],
      ),
      ...scope.panel(
        { title: 'GPU temperature', description: 'The hottest. A GPU that is too hot runs slower.', source: 'cluster' },
        [resourceUsed('gpuTemperature', each), legend],
      ),
      ...scope.panel(
        {
          title: 'GPU errors (XID)',
          description: "The number of the driver's last error; 0: none.",
          source: 'cluster',
        },
        [resourceUsed('gpuError', each), legend],
      ),
      ...(own === undefined || profile.gpu === undefined
        ? []
        : [
            ...scope.panel({ title: 'GPU load as the server tells', description: 'Without an exporter.' }, [
              gpuUtilization(profile, own),
              `{{${profile.gpu.label}}}`,
            ]),
            ...scope.panel({ title: 'GPU memory as the server tells', description: 'Without an exporter.' }, [
              gpuMemoryUsed(profile, own),
              `{{${profile.gpu.label}}}`,
            ]),
          ]),
    ],
  };
}

/** Servers that show what Prometheus' client libraries for Node and Python tell of a process. */
const tellOfThemselves: readonly string[] = ['sluice', 'vllm', 'kserve'];

/** Processor, memory and network: of the pods by cAdvisor, of the process by itself. */
export function podRow(scope: DashboardScope): Row {
  const each = scope.pods(['pod']);
  const targets = {
    window: '$__rate_interval',
    by: ['pod', { label: 'instance' }] as const,
    selector: {
      namespace: { variable: '$namespace' },
      labels: { job: { variable: '$job' }, instance: { variable: '$instance' } },
    },
  };
  const { profile } = scope;
  const ofProcess = (name: 'processCpu' | 'processMemory') =>
    tellOfThemselves.includes(profile.name)
      ? resourceUsed(name, targets)
      : { reason: `${profile.title} does not tell of its process`, fix: 'See the same of its pods.' };
  return {
    title: 'Processor, memory and network',
    panels: [
      ...scope.panel(
        { title: 'Processor time of the server', description: 'Cores, as the process itself counts them.' },
        [ofProcess('processCpu'), '{{pod}} {{instance}}'],
      ),
      ...scope.panel(
        { title: 'Memory of the server', description: 'Resident bytes, as the process itself counts them.' },
        [ofProcess('processMemory'), '{{pod}} {{instance}}'],
      ),
      ...scope.panel(
        { title: 'Processor time of the pods', description: 'Cores, all containers of a pod.', source: 'cluster' },
        [resourceUsed('cpuUsed', each), '{{pod}}'],
      ),
      ...scope.panel(
        {
          title: 'Throttled processor time',
          description:
            'The share of periods in which a container wanted more than its limit. Latency grows in steps of 100 ms where it is.',
          source: 'cluster',
          bounds: [0.05, 0.25],
        },
        [cpuThrottling(each), '{{pod}}'],
      ),
      ...scope.panel(
        {
          title: 'Memory of the pods',
          description: 'The working set, which the kernel does not give back, and its limit.',
          source: 'cluster',
        },
        [resourceUsed('memoryUsed', each), '{{pod}}'],
        [resourceUsed('memoryLimit', each), '{{pod}} limit'],
      ),
      ...scope.panel(
        { title: 'Network of the pods', description: 'Bytes a second.', source: 'cluster' },
        [resourceUsed('networkReceived', each), '{{pod}} received'],
        [resourceUsed('networkSent', each), '{{pod}} sent'],
      ),
    ],
  };
}
