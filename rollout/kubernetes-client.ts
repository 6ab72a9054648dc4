import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import * as z from 'zod';
import { proxyFor } from '../core/native/index.ts';
import { codesOf, PeerError, type Problem, SluiceError } from '../core/problem/index.ts';
import { excerpt, parsedJson } from '../core/text/index.ts';
import { Backoff } from './kubernetes/backoff.ts';
import type { ClusterAccess } from './kubernetes/cluster-access.ts';
import { CredentialSource, type Proof } from './kubernetes/credential-source.ts';
import { type KubeconfigChoice, kubeconfigFiles, readKubeconfig } from './kubernetes/kubeconfig.ts';
import {
  type KubernetesKind,
  type KubernetesObject,
  kubernetesObject,
  type ObjectName,
  resourceOf,
} from './kubernetes/kubernetes-object.ts';
import { type Asked, isDenied, isMissingObject, refusal, statusMessage } from './kubernetes/refusal.ts';
import { readServiceAccount, type ServiceAccountPlace } from './kubernetes/service-account.ts';

export interface Patience {
  /** Milliseconds one answer may take. @default 15 s */
  readonly answerMs?: number;
  /** Milliseconds to go on trying while the API server is away or busy, once it has answered. @default 90 s */
  readonly outageMs?: number;
  /** The same before it has ever answered: a wrong address should be told soon. @default 10 s */
  readonly firstMs?: number;
}

/** One operation of a JSON Patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** What became of a write. `unknown`: the answer did not come, so it may have happened; read to find out. */
export type Written =
  | { readonly outcome: 'written'; readonly object: KubernetesObject }
  /** The object changed since it was read (409); nothing was written. */
  | { readonly outcome: 'conflict'; readonly problem: Problem }
  | { readonly outcome: 'unknown'; readonly problem: Problem }
  /** What was asked for cannot be: a `test` failed, or the object would be invalid (422). */
  | { readonly outcome: 'refused'; readonly problem: Problem };

const defaults = { answerMs: 15_000, outageMs: 90_000, firstMs: 10_000 } as const;

/** Bytes of an answer: etcd holds objects of 1.5 MiB at most; lists of pods are longer. */
const mostBytes = 32 << 20;

/**
 * Opens the cluster that a kubeconfig or, in a pod, the service account names. Starts no connection. A named context, or KUBECONFIG, wins
 * over the service account. Throws an `InputError` when there is neither.
 */
export function openKubernetes(
  choice: KubeconfigChoice & { readonly serviceAccount?: ServiceAccountPlace; readonly patience?: Patience } = {},
): KubernetesClient {
  const kubeconfig =
    choice.context !== undefined || (choice.files ?? kubeconfigFiles(choice.environment)).length > 0
      ? undefined
      : readServiceAccount({
          ...choice.serviceAccount,
          ...(choice.environment && { environment: choice.environment }),
        });
  return new KubernetesClient(kubeconfig ?? readKubeconfig(choice), choice.patience);
}

/**
 * The few calls a rollout needs of a Kubernetes API server, on undici. The official client is not used: since 2.0 it needs Node 22, and it
 * would be half as big as all of `dist`.
 *
 * Reads are tried again after 429, 5xx and lost connections, within the patience, after `Retry-After` and by chance (`Backoff`). Writes are
 * tried again only where the server surely did not do them. So is what was allowed before and is no more: an API server that has just
 * started answers before it has read its roles. Whatever cannot be done is a `PeerError` that says what to do; tokens are in no
 * message.
 */
export class KubernetesClient implements AsyncDisposable {
  readonly access: ClusterAccess;
  readonly #patience: Required<Patience>;
  readonly #credentials: CredentialSource;
  #agent: { readonly dispatcher: Dispatcher; readonly proof: Proof['certificate'] } | undefined;
  #answered = false;
  /** What this client was let do before: verbs and resources. */
  readonly #allowed = new Set<string>();
  /** How far the server's clock is from this process's counter. */
  #ahead: number | undefined;

  constructor(access: ClusterAccess, patience: Patience = {}) {
    this.access = access;
    this.#patience = { ...defaults, ...patience };
    this.#credentials = new CredentialSource(access.credentials);
  }

  /** What the API server's clock says now, in milliseconds of the epoch; `undefined`: it has not answered yet. */
  get serverTime(): number | undefined {
    return this.#ahead === undefined ? undefined : Math.round(performance.now() + this.#ahead);
  }

  /** Milliseconds to go on trying what others keep from happening (conflicts, outages). */
  get patienceMs(): number {
    return this.#patience.outageMs;
  }

  /** `undefined`: there is no such object. */
  async get(name: ObjectName, signal?: AbortSignal): Promise<KubernetesObject | undefined> {
    const asked = { ...name, verb: 'get' } as const;
    const answer = await this.#settled({ method: 'GET', path: pathOf(name, name.name), asked, signal });
    if (answer.status === 404 && isMissingObject(answer.body, name.name)) return undefined;
    return this.#object(answer, asked);
  }

  /** The objects of a kind in a namespace that have these labels (`app=churn,version=v2`). */
  async list(kind: KubernetesKind, namespace: string, labels: string): Promise<readonly unknown[]> {
    const asked = { ...kind, namespace, verb: 'list' } as const;
    const path = `${pathOf({ ...kind, namespace })}?labelSelector=${encodeURIComponent(labels)}`;
    const answer = await this.#settled({ method: 'GET', path, asked });
    if (answer.status !== 200) throw this.#refused(answer, asked);
    const parsed = z.looseObject({ items: z.array(z.unknown()).nullish() }).safeParse(parsedJson(answer.body));
    if (!parsed.success) throw this.#unreadable(answer);
    return parsed.data.items ?? [];
  }

  /**
   * Changes an object. JSON Patch, since it touches only what it names: lists of routes are atomic in their definitions, so server-side apply
   * would take all of them from whoever applied them (and fight Argo CD or Helm for them), and PUT would send back fields that we may not
   * know how to keep. What must still be so is said by operations, too: `test` of a value, or `replace` of the `resourceVersion`, which the
   * server answers with 409 if it is another. Unknown fields are refused rather than dropped (`fieldValidation=Strict`): without `percent`, a
   * mirror copies everything.
   */
  async patch(name: ObjectName, operations: readonly PatchOperation[]): Promise<Written> {
    return this.#write({
      method: 'PATCH',
      path: `${pathOf(name, name.name)}?fieldManager=sluice&fieldValidation=Strict`,
      contentType: 'application/json-patch+json',
      body: JSON.stringify(operations),
      asked: { ...name, verb: 'patch' },
    });
  }

  /** Makes an object. `conflict`: there is one of its name. */
  async create(kind: KubernetesKind, namespace: string, object: unknown): Promise<Written> {
    return this.#write({
      method: 'POST',
      path: `${pathOf({ ...kind, namespace })}?fieldManager=sluice&fieldValidation=Strict`,
      contentType: 'application/json',
      body: JSON.stringify(object),
      asked: { ...kind, namespace, verb: 'create' },
    });
  }

  /** Removes an object and, in the background, what it owns. There being none is fine. */
  async delete(name: ObjectName): Promise<void> {
    const asked = { ...name, verb: 'delete' } as const;
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' });
    const answer = await this.#settled({
      method: 'DELETE',
      path: pathOf(name, name.name),
      contentType: 'application/json',
      body,
      asked,
    });
    if (answer.status === 404 && isMissingObject(answer.body, name.name)) return;
    if (answer.status > 299) throw this.#refused(answer, asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.dispatcher.destroy();
  }

  async #write(request: Request): Promise<Written> {
    const outcome = await this.#tried(request, { repeatable: false });
    if ('problem' in outcome) return { outcome: 'unknown', problem: outcome.problem };
    const { answer } = outcome;
    if (answer.status === 409) {
      return {
        outcome: 'conflict',
        problem: {
          code: 'changed-meanwhile',
          message: `${request.asked.kind} ${request.asked.namespace}/${request.asked.name ?? ''} kept being changed by others`,
          found: statusMessage(answer.body),
          fix: 'Find who writes it over and over (GitOps that heals itself, another controller), and let one of you have it.',
        },
      };
    }
    if (answer.status === 422) return { outcome: 'refused', problem: this.#problem(answer, request.asked) };
    if (answer.status >= 500) return { outcome: 'unknown', problem: this.#problem(answer, request.asked) };
    return { outcome: 'written', object: this.#object(answer, request.asked) };
  }

  /** An answer that is no outage, or a `PeerError`. */
  async #settled(request: Request): Promise<Answer> {
    const outcome = await this.#tried(request, { repeatable: true });
    if ('problem' in outcome) throw new PeerError(outcome.problem);
    if (outcome.answer.status >= 500) throw this.#refused(outcome.answer, request.asked);
    return outcome.answer;
  }

  /** Sends until there is an answer that another try would not change. */
  async #tried(
    request: Request,
    { repeatable }: { readonly repeatable: boolean },
  ): Promise<{ readonly answer: Answer } | { readonly problem: Problem }> {
    const began = performance.now();
    const backoff = new Backoff();
    let renewed = false;
    for (;;) {
      request.signal?.throwIfAborted();
      const limit = this.#answered ? this.#patience.outageMs : this.#patience.firstMs;
      const outcome = await this.#once(request);
      const late = performance.now() - began >= limit;
      let pause = 0;
      if ('answer' in outcome) {
        const { status, retryAfterMs } = outcome.answer;
        if (status === 401 && this.#credentials.renewable && !renewed) {
          renewed = true;
          this.#credentials.forget();
          continue;
        }
        const right = `${request.asked.verb} ${resourceOf(request.asked)}`;
        if (status < 300) this.#allowed.add(right);
        const lostRight = isDenied(outcome.answer, request.asked) && this.#allowed.has(right);
        // The server refuses what is too much for it before it starts on it.
        const again = status === 429 || lostRight || (status >= 500 && repeatable);
        if (!again || late) return { answer: outcome.answer };
        pause = Math.min(retryAfterMs, Math.max(0, limit - (performance.now() - began)));
      } else if (late || !(repeatable || outcome.unsent)) {
        if (outcome.unsent) throw new PeerError(outcome.problem);
        return { problem: outcome.problem };
      }
      await backoff.wait(pause, request.signal);
    }
  }

  async #once(
    request: Request,
  ): Promise<{ readonly answer: Answer } | { readonly problem: Problem; readonly unsent: boolean }> {
    const proof = await this.#credentials.proof();
    const deadline = AbortSignal.timeout(this.#patience.answerMs);
    const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
    const { server, impersonate } = this.access;
    try {
      const response = await this.#dispatcher(proof.certificate).request({
        origin: server.origin,
        method: request.method,
        path: `${server.pathname.replace(/\/+$/, '')}${request.path}`,
        headers: {
          accept: 'application/json',
          'user-agent': 'sluice',
          ...(proof.authorization === undefined ? {} : { authorization: proof.authorization }),
          ...(impersonate === undefined ? {} : { 'impersonate-user': impersonate }),
          ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        },
        body: request.body ?? null,
        signal,
      });
      const body = await textOf(response.body);
      this.#answered = true;
      const date = Date.parse(String(response.headers['date'] ?? ''));
      if (!Number.isNaN(date)) this.#ahead = date - performance.now();
      const seconds = Number(String(response.headers['retry-after'] ?? ''));
      const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
      return { answer: { status: response.statusCode, body, retryAfterMs } };
    } catch (cause) {
      request.signal?.throwIfAborted();
      if (cause instanceof SluiceError) throw cause;
      return this.#unanswered(cause);
    }
  }

  #dispatcher(certificate: Proof['certificate']): Dispatcher {
    if (this.#agent !== undefined && this.#agent.proof?.key === certificate?.key) return this.#agent.dispatcher;
    void this.#agent?.dispatcher.close();
    const { server, ca, insecure, tlsServerName, proxy } = this.access;
    const connect = {
      ca: ca ?? [...rootCertificates],
      timeout: this.#patience.answerMs,
      ...(insecure === true ? { rejectUnauthorized: false } : {}),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
    };
    const through = proxy ?? (isLoopback(server) ? undefined : proxyFor(server, process.env));
    const limits = { headersTimeout: 0, bodyTimeout: 0 };
    const dispatcher =
      through === undefined
        ? new Agent({ ...limits, connect })
        : new ProxyAgent({ ...limits, uri: through, requestTls: connect });
    this.#agent = { dispatcher, proof: certificate };
    return dispatcher;
  }

  #unanswered(cause: unknown): { readonly problem: Problem; readonly unsent: boolean } {
    const server = this.access.server.origin;
    const codes = codesOf(cause);
    const has = (...wanted: readonly string[]): boolean => wanted.some((code) => codes.includes(code));
    const tls = codes.find((code) => /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code));
    if (tls !== undefined) {
      // Another try would meet the same certificate.
      throw new PeerError({
        code: 'tls',
        message: `the connection to the API server ${server} cannot be trusted`,
        found: excerpt(tls),
        fix: "Give the cluster's own authority in the kubeconfig (certificate-authority-data); write the kubeconfig anew if the cluster was made anew.",
      });
    }
    const unsent = has(
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'UND_ERR_CONNECT_TIMEOUT',
    );
    return {
      unsent,
      problem: {
        code: 'unreachable',
        message: unsent
          ? `the API server ${server} (${this.access.origin}) cannot be reached`
          : `the API server ${server} (${this.access.origin}) did not answer`,
        found: excerpt(codes[0] ?? 'no answer in time'),
        fix: 'Check that the cluster is up and that this machine may reach it: private API servers need a runner in their network, and public ones may list who may connect.',
      },
    };
  }

  #object(answer: Answer, asked: Asked): KubernetesObject {
    if (answer.status > 299) throw this.#refused(answer, asked);
    const parsed = kubernetesObject.safeParse(parsedJson(answer.body));
    if (!parsed.success) throw this.#unreadable(answer);
    return parsed.data;
  }

  #problem(answer: Answer, asked: Asked): Problem {
    return refusal(answer.status, answer.body, asked, this.access);
  }

  #refused(answer: Answer, asked: Asked): PeerError {
    return new PeerError(this.#problem(answer, asked));
  }

  #unreadable({ status, body }: Answer): PeerError {
    return new PeerError({
      code: 'no-kubernetes',
      message: `${this.access.server.origin} does not answer as a Kubernetes API server`,
      found: `HTTP ${status} ${excerpt(body)}`.trim(),
      fix: 'Correct the server in the kubeconfig; a login page or a proxy may stand in front of it.',
    });
  }
}

interface Request {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  readonly path: string;
  readonly asked: Asked;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number;
}

function pathOf(kind: KubernetesKind & { readonly namespace: string }, name?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}/namespaces/${encodeURIComponent(kind.namespace)}/${kind.plural}${object}`;
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    const bytes = part as Uint8Array;
    size += bytes.length;
    if (size > mostBytes) {
      throw new PeerError({
        code: 'answer-too-big',
        message: `the API server's answer is longer than ${mostBytes >> 20} MiB`,
        fix: 'Name a namespace with fewer objects.',
      });
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
