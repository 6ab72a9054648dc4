import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../core/text/index.ts';
import type { ClusterCredentials, ExecPlugin } from './cluster-access.ts';

/** What a request proves itself with. */
export interface Proof {
  /** The value of the `authorization` header. */
  readonly authorization?: string;
  readonly certificate?: { readonly certificate: string; readonly key: string };
}

/** Milliseconds a token file's content is used: half a minute less than client-go, whose kubelets leave an hour. */
const fileKept = 30_000;
/** Milliseconds an exec plugin may take: cloud tools ask the network, some of them twice. */
const pluginLimit = 60_000;
/** Milliseconds before its end at which a plugin's token is asked for anew. */
const renewedBefore = 60_000;

/** Gives the proof for each request, asked for anew when it is about to lapse. */
export class CredentialSource {
  readonly #credentials: ClusterCredentials;
  #kept: { readonly proof: Proof; readonly until: number } | undefined;

  constructor(credentials: ClusterCredentials) {
    this.#credentials = credentials;
  }

  /** Whether a new proof may differ from the last: a refused one is then worth a second try. */
  get renewable(): boolean {
    return this.#credentials.kind === 'token-file' || this.#credentials.kind === 'exec';
  }

  forget(): void {
    this.#kept = undefined;
  }

  /** Throws a `PeerError` when a plugin fails or a token file is gone. */
  async proof(): Promise<Proof> {
    if (this.#kept !== undefined && Date.now() < this.#kept.until) return this.#kept.proof;
    this.#kept = await this.#fresh();
    return this.#kept.proof;
  }

  async #fresh(): Promise<{ readonly proof: Proof; readonly until: number }> {
    const forEver = Number.POSITIVE_INFINITY;
    const credentials = this.#credentials;
    switch (credentials.kind) {
      case 'token':
        return { proof: { authorization: `Bearer ${credentials.token}` }, until: forEver };
      case 'token-file':
        return { proof: { authorization: `Bearer ${await tokenIn(credentials.file)}` }, until: Date.now() + fileKept };
      case 'basic': {
        const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
        return { proof: { authorization: `Basic ${pair}` }, until: forEver };
      }
      case 'certificate':
        return { proof: { certificate: credentials }, until: forEver };
      case 'exec':
        return asked(credentials.plugin);
      case 'none':
        return { proof: {}, until: forEver };
    }
  }
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new PeerError({
      code: 'no-token',
      message: 'the token for the cluster cannot be read',
      place: { file },
      fix: 'Mount the token there: in a pod, `automountServiceAccountToken: true`; in a kubeconfig, correct `tokenFile`.',
    });
  }
}

const execCredential = z.looseObject({
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    token: z.string().exactOptional(),
    clientCertificateData: z.string().exactOptional(),
    clientKeyData: z.string().exactOptional(),
    expirationTimestamp: z.string().exactOptional(),
  }),
});

async function asked(plugin: ExecPlugin): Promise<{ readonly proof: Proof; readonly until: number }> {
  const printed = await run(plugin);
  const parsed = execCredential.safeParse(parsedJson(printed));
  const status = parsed.success ? parsed.data.status : {};
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  const expires = Date.parse(expirationTimestamp ?? '');
  // Without an end, as kubectl: for as long as this process lives.
  const until = Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - renewedBefore;
  if (token !== undefined) return { proof: { authorization: `Bearer ${token}` }, until };
  if (clientCertificateData !== undefined && clientKeyData !== undefined) {
    return { proof: { certificate: { certificate: clientCertificateData, key: clientKeyData } }, until };
  }
  throw new PeerError({
    code: 'plugin-without-credentials',
    message: `the kubeconfig's program ${excerpt(plugin.command)} printed no credentials`,
    expected: 'an ExecCredential with a token, or a certificate and its key',
    fix: 'Run the program by hand and look at what it prints; log in to the cloud before this step.',
  });
}

function run(plugin: ExecPlugin): Promise<string> {
  const info = JSON.stringify({
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false },
  });
  return new Promise((resolve, reject) => {
    execFile(
      plugin.command,
      plugin.args,
      {
        env: { ...process.env, ...plugin.env, KUBERNETES_EXEC_INFO: info },
        timeout: pluginLimit,
        maxBuffer: 1 << 20,
        windowsHide: true,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const missing = 'code' in error && error.code === 'ENOENT';
        reject(
          new PeerError({
            code: missing ? 'plugin-missing' : 'plugin-failed',
            message: missing
              ? `the kubeconfig logs in with ${excerpt(plugin.command)}, which is not here`
              : `the kubeconfig's program ${excerpt(plugin.command)} failed`,
            ...(missing || stderr.trim() === '' ? {} : { found: excerpt(stderr.trim(), 200) }),
            fix: missing
              ? excerpt(plugin.installHint ?? 'Install it on the runner in a step before this one.', 300)
              : 'Log in to the cloud in a step before this one; the program must print credentials without asking.',
          }),
        );
      },
    );
  });
}
