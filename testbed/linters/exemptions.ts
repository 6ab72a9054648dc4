import type { Exemption } from './exemption.ts';

/** Every rule of a linter that a manifest here does not keep, and why. */
export const exemptions: readonly Exemption[] = [
  {
    rules: ['kube-score container-image-pull-policy'],
    objects: ['*, container *'],
    reason:
      'What an image is goes by its digest, and without one synth warns. To ask the registry again at each start brings nothing new, and holds pods up while it is down.',
  },
  {
    rules: ['checkov CKV_K8S_15', 'checkov CKV_K8S_43'],
    objects: ['Deployment churn', 'Deployment ranker-v2', 'Deployment ranker-v3'],
    from: ['kubernetes-onnx churn', 'kubernetes-triton-canary ranker'],
    reason:
      'Examples that fetch with the default images, which have tags only: no registry is in reach here to ask for their digests. Synth warns of them.',
  },
  {
    rules: ['kube-score container-security-context-user-group-id', 'checkov CKV_K8S_40'],
    objects: ['Deployment *', 'StatefulSet *', '*Job *', 'Pod *'],
    reason:
      "The users that files of the servers' own images belong to: 1000 (Triton, TorchServe, Ray), 101 (NGINX), 185 (Spark). A low number is a danger where the pod mounts a folder of its node or has its namespaces; none of these does.",
  },
  {
    rules: [
      'kube-score container-security-context-user-group-id',
      'checkov CKV_K8S_40',
      'checkov CKV_K8S_23',
      'kube-score container-security-context-readonlyrootfilesystem',
      'checkov CKV_K8S_22',
    ],
    objects: ['DaemonSet dcgm-exporter*', 'DaemonSet divided-a100*', 'DaemonSet shared-t4*'],
    reason:
      "NVIDIA's agents are root's: the kubelet opens its sockets to nobody else. That they run from a read-only root could not be tried without a GPU.",
  },
  {
    rules: ['checkov CKV_K8S_20', 'checkov CKV_K8S_25', 'checkov CKV_K8S_39'],
    objects: ['DaemonSet divided-a100'],
    reason: "To see MIG instances NVIDIA's runtime asks for SYS_ADMIN; the plugin without MIG has it not.",
  },
  {
    rules: ['checkov CKV_K8S_8', 'checkov CKV_K8S_9'],
    objects: ['DaemonSet divided-a100', 'DaemonSet shared-t4'],
    reason: 'The device plugin listens on no port: the kubelet itself notices when its socket is gone.',
  },
  {
    rules: ['checkov CKV_K8S_8', 'checkov CKV_K8S_9'],
    objects: ['Pod ranker-train-*', 'Pod churn-scores-*'],
    reason: 'It answers no requests: it ends when it is done.',
  },
  {
    rules: ['checkov CKV_K8S_8', 'checkov CKV_K8S_9'],
    objects: ['Pod ranker-head', 'Pod ranker-serve'],
    reason: 'KubeRay adds the probes, of Ray and of Serve, unless the template has some.',
  },
  {
    rules: ['kube-score container-ephemeral-storage-request-and-limit'],
    objects: ['Pod ranker-head, container ray-head', 'Pod ranker-serve, container ray-worker'],
    reason:
      'Ray spills what does not fit into shared memory to its disk, as much as the program makes: a limit of ours would evict it.',
  },
  {
    rules: ['kube-score container-security-context-readonlyrootfilesystem', 'checkov CKV_K8S_22'],
    objects: ['Pod ranker-head*', 'Pod ranker-serve*', 'Pod churn-scores-*'],
    reason: "Ray's and Spark's images write beside their programs.",
  },
  {
    rules: [
      'kube-score container-resources',
      'kube-score container-ephemeral-storage-request-and-limit',
      'checkov CKV_K8S_10',
      'checkov CKV_K8S_11',
      'checkov CKV_K8S_12',
      'checkov CKV_K8S_13',
    ],
    objects: ['Pod churn-scores-driver*', 'Pod churn-scores-executor*'],
    reason:
      'Spark writes cores and memory of the SparkApplication into the template. Its disk is a volume with a size (spark-local-dir-1).',
  },
  {
    rules: ['checkov CKV_K8S_38'],
    objects: ['Pod churn-scores-driver'],
    reason: "Spark's driver makes its executors through the API server.",
  },
  {
    rules: ['checkov CKV_K8S_35'],
    objects: ['Deployment assistant', 'Deployment fraud', 'Deployment mlflow'],
    reason:
      "MLflow reads its database's address from a variable only; HF_TOKEN could be a file (HF_TOKEN_PATH), which was not tried with vLLM; the variables of a model's own program are the user's.",
  },
  {
    rules: ['kube-score pod-probes-identical'],
    objects: [
      'DaemonSet dcgm-exporter',
      'Deployment features',
      'Deployment handbook',
      'Deployment handbook-query',
      'Deployment mlflow-gateway',
      'Deployment models',
    ],
    reason:
      'The route says of the process itself that it answers, and of nothing behind it. Liveness asks less often and gives up later.',
  },
  {
    rules: ['kube-score statefulset-has-servicename'],
    objects: ['StatefulSet handbook-store'],
    reason:
      'One pod, reached by its Service, which has an address that stays: a headless one would leave clients with that of a pod that is gone.',
  },
  {
    rules: ['kube-score networkpolicy-targets-pod'],
    objects: [
      'NetworkPolicy churn',
      'NetworkPolicy churn-train-4',
      'NetworkPolicy embedder',
      'NetworkPolicy ranker-head',
    ],
    reason: "For pods that KServe, Seldon, Trainer and KubeRay make, with labels of their own (the head's).",
  },
];
