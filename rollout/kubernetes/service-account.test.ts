import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openKubernetes } from '../kubernetes-client.ts';
import { readServiceAccount } from './service-account.ts';

const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-service-account-'));
  writeFileSync(join(folder, 'token'), 'secret');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a pod’s service account', () => {
  test('says where the API server is, whom to trust, and where the token is read anew', () => {
    writeFileSync(join(folder, 'ca.crt'), 'CA\n');
    writeFileSync(join(folder, 'namespace'), 'shop\n');
    expect(readServiceAccount({ folder, environment })).toEqual({
      server: new URL('https://10.0.0.1:443'),
      origin: "the pod's service account",
      ca: 'CA',
      namespace: 'shop',
      credentials: { kind: 'token-file', file: join(folder, 'token') },
    });
  });

  test('may be reached by IPv6', () => {
    const ipv6 = { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' };
    expect(readServiceAccount({ folder, environment: ipv6 })?.server.host).toBe('[fd00::1]');
  });

  test('is none outside of a pod', () => {
    expect(readServiceAccount({ folder, environment: {} })).toBeUndefined();
    expect(readServiceAccount({ folder: join(folder, 'none'), environment })).toBeUndefined();
  });

  test('is used where there is no kubeconfig, and gives way to a named one', () => {
    const serviceAccount = { folder };
    const inPod = openKubernetes({ environment: { ...environment, HOME: folder }, serviceAccount });
    expect(inPod.access.origin).toBe("the pod's service account");
    const file = join(folder, 'config');
    const named = {
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://elsewhere' } }],
    };
    writeFileSync(file, JSON.stringify(named));
    const outside = openKubernetes({ environment: { ...environment, KUBECONFIG: file }, serviceAccount });
    expect(outside.access.server.host).toBe('elsewhere');
  });
});
