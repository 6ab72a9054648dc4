import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { stringify } from 'yaml';
import { freePorts } from '../free-ports.ts';
import { controlPlaneBinary } from './control-plane-binary.ts';
import { clusterKeys } from './credentials.ts';

/** A part of the control plane, as its program calls it. */
export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A real Kubernetes API server with its controllers, on loopback. No nodes: pods stay pending unless `startPodRunner` runs them. */
export interface ControlPlane extends AsyncDisposable {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly ca: string;
  /** Path of a kubeconfig with which everything is allowed. */
  readonly kubeconfig: string;
  /** Asks the API server as its administrator. */
  ask(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** The same; throws unless the answer is a success. */
  must(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown>;
  /** What the API server goes on to write in answer to a GET, as it comes: a watch. Ends with the signal. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  /** A token of a service account, as a kubelet gets it for a pod; ends after an hour. */
  token(namespace: string, serviceAccount: string): Promise<string>;
  /** A kubeconfig with this token, for the API server or for what stands in front of it. */
  kubeconfigWith(token: string, server?: string): string;
  /** Ends a part at once, or stops it where it is (`SIGSTOP`, then `SIGCONT`). */
  signal(component: Component, name: NodeJS.Signals): void;
  /** Starts a part that was ended, and waits until it serves. */
  start(component: Component): Promise<void>;
}

/** Milliseconds until a part must serve: twenty times what an idle machine takes. */
const startLimit = 120_000;

/**
 * Starts etcd, the API server and the controller manager (and the scheduler, if asked for) and waits until service accounts are made.
 * @throws when one of them ends or does not get ready, with the end of what it wrote
 */
export async function startControlPlane(options: { readonly scheduler?: boolean } = {}): Promise<ControlPlane> {
  const binary = await controlPlaneBinary();
  const keys = await clusterKeys();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubernetes-'));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [port = 0, etcdPort = 0, peerPort = 0, managerPort = 0, schedulerPort = 0] = await freePorts(5);
  const url = `https://127.0.0.1:${port}`;
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const kubeconfigFor = (name: string, user: Readonly<Record<string, unknown>>, server = url): string =>
    file(
      name,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: 'testbed',
            cluster: { server, 'certificate-authority-data': Buffer.from(keys.ca).toString('base64') },
          },
        ],
        users: [{ name: 'user', user }],
        contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'user' } }],
        'current-context': 'testbed',
      }),
    );
  const kubeconfig = kubeconfigFor('admin.yaml', {
    'client-certificate-data': Buffer.from(keys.admin.certificate).toString('base64'),
    'client-key-data': Buffer.from(keys.admin.key).toString('base64'),
  });
  const caFile = file('ca.crt', keys.ca);
  const serviceAccountKey = file('sa.key', keys.serviceAccount.key);
  mkdirSync(join(folder, 'certs'));
  const loopback = '--bind-address=127.0.0.1';
  const certificates = `--cert-dir=${join(folder, 'certs')}`;
  const flags: Readonly<Record<Component, readonly string[]>> = {
    etcd: [
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--log-level=warn',
    ],
    'kube-apiserver': [
      `--etcd-servers=${etcd}`,
      `--secure-port=${port}`,
      loopback,
      '--advertise-address=127.0.0.1',
      certificates,
      `--client-ca-file=${caFile}`,
      `--tls-cert-file=${file('server.crt', keys.server.certificate)}`,
      `--tls-private-key-file=${file('server.key', keys.server.key)}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub', keys.serviceAccount.publicKey)}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // Nobody routes to this address; the controller only warns of it.
      '--endpoint-reconciler-type=none',
    ],
    'kube-controller-manager': [
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${serviceAccountKey}`,
      `--root-ca-file=${caFile}`,
      '--leader-elect=false',
      `--secure-port=${managerPort}`,
      loopback,
      certificates,
    ],
    'kube-scheduler': [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      `--secure-port=${schedulerPort}`,
      loopback,
      certificates,
    ],
  };

  const children = new Map<Component, ChildProcess>();
  const launch = (component: Component): ChildProcess => {
    const log = openSync(join(folder, `${component}.log`), 'a');
    const child = spawn(binary, [component, ...flags[component]], { stdio: ['ignore', log, log], cwd: folder });
    closeSync(log);
    children.set(component, child);
    return child;
  };
  const endAll = (): void => {
    for (const child of children.values()) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', endAll);

  const agent = new Agent({
    connect: { ca: keys.ca, cert: keys.admin.certificate, key: keys.admin.key },
    keepAliveTimeout: 1000,
  });
  const ask: ControlPlane['ask'] = async (method, path, body, contentType = 'application/json') => {
    const answer = await request(`${url}${path}`, {
      method: method as 'GET',
      dispatcher: agent,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: 30_000,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: jsonOr(text) };
  };
  const must: ControlPlane['must'] = async (method, path, body, contentType) => {
    const answer = await ask(method, path, body, contentType);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: HTTP ${answer.status} ${JSON.stringify(answer.body).slice(0, 2000)}`);
  };
  const stream: ControlPlane['stream'] = async (path, signal) => {
    const answer = await request(`${url}${path}`, { dispatcher: agent, signal, bodyTimeout: 0 });
    if (answer.statusCode === 200) return answer.body;
    throw new Error(`GET ${path}: HTTP ${answer.statusCode} ${(await answer.body.text()).slice(0, 2000)}`);
  };
  const until = async (what: string, component: Component, done: () => Promise<boolean>): Promise<void> => {
    const limit = performance.now() + startLimit;
    while (!(await done().catch(() => false))) {
      const child = children.get(component);
      const ended = child === undefined || child.exitCode !== null || child.signalCode !== null;
      if (!ended && performance.now() < limit) {
        await sleep(50);
        continue;
      }
      const log = readFileSync(join(folder, `${component}.log`), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(-30)
        .join('\n');
      throw new Error(`${what}: ${component} ${ended ? 'ended' : 'is not ready'}. The end of its log:\n${log}`);
    }
  };
  const serves: Readonly<Record<Component, () => Promise<boolean>>> = {
    etcd: async () => {
      const answer = await request(`${etcd}/health`);
      await answer.body.dump();
      return answer.statusCode === 200;
    },
    'kube-apiserver': async () => (await ask('GET', '/readyz')).status === 200,
    'kube-controller-manager': async () =>
      (await ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
    'kube-scheduler': async () => true,
  };
  const start = async (component: Component): Promise<void> => {
    launch(component);
    await until('starting Kubernetes', component, serves[component]);
  };

  try {
    await start('etcd');
    await start('kube-apiserver');
    await start('kube-controller-manager');
    if (options.scheduler === true) await start('kube-scheduler');
  } catch (error) {
    endAll();
    throw error;
  }

  let tokens = 0;
  return {
    url,
    ca: keys.ca,
    kubeconfig,
    ask,
    must,
    stream,
    start,
    async token(namespace, serviceAccount) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
      const answer = await must('POST', path, { ...kind, spec: { expirationSeconds: 3600 } });
      return (answer as { readonly status: { readonly token: string } }).status.token;
    },
    kubeconfigWith: (token, server) => kubeconfigFor(`token-${++tokens}.yaml`, { token }, server),
    signal(component, name) {
      children.get(component)?.kill(name);
    },
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', endAll);
      const ended = [...children.values()].map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) resolve();
            else child.once('exit', () => resolve());
          }),
      );
      for (const child of children.values()) {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
      }
      await Promise.all(ended);
      endAll();
      await agent.destroy();
    },
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
