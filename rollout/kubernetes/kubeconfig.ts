import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { InputError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { ClusterAccess, ClusterCredentials } from './cluster-access.ts';

const text = z.string().exactOptional();
const clusterSchema = z.looseObject({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': z.boolean().exactOptional(),
  'proxy-url': text,
});
const userSchema = z.looseObject({
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  as: text,
  'auth-provider': z.looseObject({ name: z.string() }).exactOptional(),
  exec: z
    .looseObject({
      apiVersion: z.string(),
      command: z.string(),
      args: z.array(z.string()).nullish(),
      env: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
      installHint: text,
    })
    .exactOptional(),
});
const contextSchema = z.looseObject({ cluster: z.string(), user: text, namespace: text });
const configSchema = z.looseObject({
  clusters: z.array(z.looseObject({ name: z.string(), cluster: clusterSchema })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), user: userSchema.nullish() })).nullish(),
  contexts: z.array(z.looseObject({ name: z.string(), context: contextSchema })).nullish(),
  'current-context': z.string().nullish(),
});
type Config = z.infer<typeof configSchema>;
type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

type Environment = Readonly<Record<string, string | undefined>>;

export interface KubeconfigChoice {
  /** Files, the first that defines a name wins. @default KUBECONFIG, else `~/.kube/config` */
  readonly files?: readonly string[];
  /** @default the `current-context` */
  readonly context?: string;
  readonly environment?: Environment;
}

/** The kubeconfig files there are: KUBECONFIG's, else `~/.kube/config` if it exists. */
export function kubeconfigFiles(environment: Environment = process.env): readonly string[] {
  const named = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return named;
  const usual = join(environment['HOME'] || homedir(), '.kube', 'config');
  return existsSync(usual) ? [usual] : [];
}

/**
 * Reads kubeconfig files as kubectl does (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig): merged,
 * paths relative to their file. Exec plugins are not run here. Throws an `InputError` for what is missing or contradicts itself.
 */
export function readKubeconfig(choice: KubeconfigChoice = {}): ClusterAccess {
  const files = choice.files ?? kubeconfigFiles(choice.environment);
  if (files.length === 0) throw new InputError(noKubeconfig);
  const configs = files
    .filter((file) => existsSync(file) || files.length === 1)
    .map((file) => ({ folder: dirname(resolve(file)), config: configOf(file) }));
  const contextName = choice.context ?? first(configs, ({ config }) => config['current-context'] || undefined);
  if (contextName === undefined) {
    throw new InputError({
      code: 'no-context',
      message: 'the kubeconfig names no current context',
      fix: 'Name the context to use, or run "kubectl config use-context NAME".',
    });
  }
  const context = found('context', contextName, configs, (config) =>
    (config.contexts ?? []).map((each) => ({ name: each.name, value: each.context })),
  ).value;
  const cluster = found('cluster', context.cluster, configs, (config) =>
    (config.clusters ?? []).map((each) => ({ name: each.name, value: each.cluster })),
  );
  const user =
    context.user === undefined || context.user === ''
      ? { value: {}, folder: '' }
      : found('user', context.user, configs, (config) =>
          (config.users ?? []).map((each) => ({ name: each.name, value: each.user ?? {} })),
        );
  return {
    ...connectionOf(cluster.value, cluster.folder),
    origin: `context ${excerpt(contextName)} of the kubeconfig`,
    ...(context.namespace === undefined ? {} : { namespace: context.namespace }),
    credentials: credentialsOf(user.value, user.folder),
    ...(user.value.as === undefined ? {} : { impersonate: user.value.as }),
  };
}

const noKubeconfig: Problem = {
  code: 'no-kubeconfig',
  message: 'there is no kubeconfig, and this is no pod with a service account',
  fix: 'Set KUBECONFIG to its path, or have a step before this one write it (aws eks update-kubeconfig, gcloud container clusters get-credentials, az aks get-credentials).',
};

function configOf(file: string): Config {
  const wrong = (message: string, found?: string): InputError =>
    new InputError({
      code: 'bad-kubeconfig',
      message,
      place: { file },
      ...(found === undefined ? {} : { found: excerpt(found) }),
      fix: 'Write the kubeconfig anew; "kubectl config view" reads it, too, and says what it makes of it.',
    });
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    // The parser's message quotes the line, which may hold a token.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no YAML';
    throw wrong('the kubeconfig cannot be read', code);
  }
  const parsed = configSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`the kubeconfig is malformed at ${issue?.path.map(String).join('.') || 'its root'}`, issue?.message);
}

interface Located {
  readonly folder: string;
  readonly config: Config;
}

function found<Value>(
  what: string,
  name: string,
  configs: readonly Located[],
  entries: (config: Config) => readonly { readonly name: string; readonly value: Value }[],
): { readonly value: Value; readonly folder: string } {
  for (const { folder, config } of configs) {
    const entry = entries(config).find((each) => each.name === name);
    if (entry !== undefined) return { value: entry.value, folder };
  }
  const known = configs.flatMap(({ config }) => entries(config).map((each) => each.name));
  throw new InputError({
    code: `no-such-${what}`,
    message: `the kubeconfig has no ${what} ${excerpt(name)}`,
    ...(known.length === 0 ? {} : { expected: excerpt(known.join(', '), 200) }),
    fix: 'Correct the name; "kubectl config get-contexts" lists what there is.',
  });
}

function connectionOf(cluster: Cluster, folder: string): Omit<ClusterAccess, 'origin' | 'credentials'> {
  const server = urlOf(cluster.server);
  const ca = fileOrData(cluster['certificate-authority'], cluster['certificate-authority-data'], folder);
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(cluster['tls-server-name'] === undefined ? {} : { tlsServerName: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    ...(cluster['proxy-url'] === undefined ? {} : { proxy: proxyOf(cluster['proxy-url']) }),
  };
}

function urlOf(server: string): URL {
  if (URL.canParse(server)) {
    const url = new URL(server);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw new InputError({
    code: 'bad-server',
    message: 'the API server of the kubeconfig is no URL',
    found: excerpt(server),
    expected: 'https://host:port',
    fix: "Correct the cluster's `server` in the kubeconfig.",
  });
}

function proxyOf(proxy: string): string {
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy;
  throw new InputError({
    code: 'bad-proxy',
    message: "the kubeconfig's proxy-url is no HTTP proxy",
    expected: 'http://host:port',
    fix: 'Use an HTTP proxy, or reach the API server through a tunnel: SOCKS is not spoken here.',
  });
}

function credentialsOf(user: User, folder: string): ClusterCredentials {
  const certificate = fileOrData(user['client-certificate'], user['client-certificate-data'], folder);
  const key = fileOrData(user['client-key'], user['client-key-data'], folder);
  if (certificate !== undefined && key !== undefined) return { kind: 'certificate', certificate, key };
  if (user.token !== undefined && user.token !== '') return { kind: 'token', token: user.token };
  if (user.tokenFile !== undefined) return { kind: 'token-file', file: resolve(folder, user.tokenFile) };
  if (user.exec !== undefined) {
    const { apiVersion, command, args, env, installHint } = user.exec;
    return {
      kind: 'exec',
      plugin: {
        apiVersion,
        // As kubectl: a name is searched on PATH, a path is relative to the kubeconfig.
        command: /[/\\]/.test(command) ? resolve(folder, command) : command,
        args: args ?? [],
        env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
        ...(installHint === undefined ? {} : { installHint }),
      },
    };
  }
  if (user.username !== undefined) {
    return { kind: 'basic', username: user.username, password: user.password ?? '' };
  }
  if (user['auth-provider'] !== undefined) {
    throw new InputError({
      code: 'auth-provider',
      message: 'the kubeconfig logs in with an auth-provider, which kubectl itself no longer knows since 1.26',
      found: excerpt(user['auth-provider'].name),
      fix: 'Write the kubeconfig anew with the cloud\'s current tool: it uses an "exec" plugin.',
    });
  }
  return { kind: 'none' };
}

function fileOrData(file: string | undefined, data: string | undefined, folder: string): string | undefined {
  // As client-go: data wins over the file.
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  if (file === undefined || file === '') return undefined;
  const path = resolve(folder, file);
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new InputError({
      code: 'missing-file',
      message: 'a file that the kubeconfig names cannot be read',
      place: { file: path },
      fix: 'Put it there, or embed it: "kubectl config view --raw --flatten".',
    });
  }
}

function first<Entry, Value>(list: readonly Entry[], get: (entry: Entry) => Value | undefined): Value | undefined {
  for (const entry of list) {
    const value = get(entry);
    if (value !== undefined) return value;
  }
  return undefined;
}
