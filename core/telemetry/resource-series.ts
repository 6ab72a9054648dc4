/** A series of what a pod runs on, as a well-known exporter names it. */
export interface ResourceSeries {
  readonly series: string;
  readonly kind: 'counter' | 'gauge';
  /** Of the number after scaling; a counter's is that of its rate. */
  readonly unit: 'ratio' | 'bytes' | 'bytes per second' | 'cores' | 'seconds' | 'celsius' | 'number';
  /** What to multiply by to have the unit. Default 1. */
  readonly scale?: number;
  /** Conditions that make the series mean what it says, in PromQL. */
  readonly matchers?: readonly string[];
  /** How several of them are put together. */
  readonly across: 'sum' | 'avg' | 'max';
  readonly exporter: Exporter;
}

/** Who exports: which part of a cluster has to be there for a series to be. */
export type Exporter = 'dcgm' | 'cadvisor' | 'kube-state-metrics' | 'process' | 'prometheus';

const perContainer = ['container!=""', 'container!="POD"'] as const;

/**
 * What pods use of GPUs, processors, memory and network, and what the cluster says of the guards of rollouts.
 *
 * - NVIDIA's DCGM exporter: https://github.com/NVIDIA/dcgm-exporter (etc/default-counters.csv). It has the labels `namespace` and `pod` of the
 *   pod that uses the GPU; the scraper must keep them (`honorLabels`).
 * - cAdvisor in the kubelet: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md. Without `container` a series is of the
 *   pod's whole group, and would count twice. Network is counted by pod.
 * - kube-state-metrics: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics/workload.
 * - The process itself, as Prometheus' client libraries tell.
 */
export const resourceSeries = {
  gpuUtilization: {
    series: 'DCGM_FI_DEV_GPU_UTIL',
    kind: 'gauge',
    unit: 'ratio',
    scale: 0.01,
    across: 'avg',
    exporter: 'dcgm',
  },
  gpuMemoryUsed: {
    series: 'DCGM_FI_DEV_FB_USED',
    kind: 'gauge',
    unit: 'bytes',
    scale: 1_048_576,
    across: 'sum',
    exporter: 'dcgm',
  },
  gpuMemoryFree: {
    series: 'DCGM_FI_DEV_FB_FREE',
    kind: 'gauge',
    unit: 'bytes',
    scale: 1_048_576,
    across: 'sum',
    exporter: 'dcgm',
  },
  gpuTemperature: {
    series: 'DCGM_FI_DEV_GPU_TEMP',
    kind: 'gauge',
    unit: 'celsius',
    across: 'max',
    exporter: 'dcgm',
  },
  /** The number of the last error the driver reported; 0: none. */
  gpuError: { series: 'DCGM_FI_DEV_XID_ERRORS', kind: 'gauge', unit: 'number', across: 'max', exporter: 'dcgm' },
  cpuUsed: {
    series: 'container_cpu_usage_seconds_total',
    kind: 'counter',
    unit: 'cores',
    matchers: perContainer,
    across: 'sum',
    exporter: 'cadvisor',
  },
  cpuPeriods: {
    series: 'container_cpu_cfs_periods_total',
    kind: 'counter',
    unit: 'number',
    matchers: perContainer,
    across: 'sum',
    exporter: 'cadvisor',
  },
  cpuThrottled: {
    series: 'container_cpu_cfs_throttled_periods_total',
    kind: 'counter',
    unit: 'number',
    matchers: perContainer,
    across: 'sum',
    exporter: 'cadvisor',
  },
  memoryUsed: {
    series: 'container_memory_working_set_bytes',
    kind: 'gauge',
    unit: 'bytes',
    matchers: perContainer,
    across: 'sum',
    exporter: 'cadvisor',
  },
  memoryLimit: {
    series: 'kube_pod_container_resource_limits',
    kind: 'gauge',
    unit: 'bytes',
    matchers: ['resource="memory"'],
    across: 'sum',
    exporter: 'kube-state-metrics',
  },
  networkReceived: {
    series: 'container_network_receive_bytes_total',
    kind: 'counter',
    unit: 'bytes per second',
    across: 'sum',
    exporter: 'cadvisor',
  },
  networkSent: {
    series: 'container_network_transmit_bytes_total',
    kind: 'counter',
    unit: 'bytes per second',
    across: 'sum',
    exporter: 'cadvisor',
  },
  processCpu: {
    series: 'process_cpu_seconds_total',
    kind: 'counter',
    unit: 'cores',
    across: 'sum',
    exporter: 'process',
  },
  processMemory: {
    series: 'process_resident_memory_bytes',
    kind: 'gauge',
    unit: 'bytes',
    across: 'sum',
    exporter: 'process',
  },
  /** 1 while a target can be scraped; Prometheus writes it itself. */
  up: { series: 'up', kind: 'gauge', unit: 'number', across: 'max', exporter: 'prometheus' },
  /** Pods of a rollout's guard that run: while there is one, a rollout is under way. */
  guardActive: {
    series: 'kube_job_status_active',
    kind: 'gauge',
    unit: 'number',
    matchers: ['job_name=~"sluice-guard-.+"'],
    across: 'max',
    exporter: 'kube-state-metrics',
  },
  /** Seconds of the epoch. */
  guardStarted: {
    series: 'kube_job_status_start_time',
    kind: 'gauge',
    unit: 'seconds',
    matchers: ['job_name=~"sluice-guard-.+"'],
    across: 'max',
    exporter: 'kube-state-metrics',
  },
  guardFailed: {
    series: 'kube_job_failed',
    kind: 'gauge',
    unit: 'number',
    matchers: ['job_name=~"sluice-guard-.+"', 'condition="true"'],
    across: 'max',
    exporter: 'kube-state-metrics',
  },
} as const satisfies Readonly<Record<string, ResourceSeries>>;

export type ResourceName = keyof typeof resourceSeries;
