import { generateKeyPairSync } from 'node:crypto';
import { type CertificateExtension, generate } from 'selfsigned';

/** The keys and certificates of one cluster, in PEM. */
export interface ClusterKeys {
  readonly ca: string;
  readonly server: { readonly certificate: string; readonly key: string };
  /** Of the group system:masters: may do everything. */
  readonly admin: { readonly certificate: string; readonly key: string };
  /** With which tokens of service accounts are signed. */
  readonly serviceAccount: { readonly key: string; readonly publicKey: string };
}

/** Makes an authority of its own for a cluster on loopback. */
export async function clusterKeys(): Promise<ClusterKeys> {
  const settings = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'sluice-testbed' }], {
    ...settings,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const leaf = (extensions: CertificateExtension[]): CertificateExtension[] => [
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    ...extensions,
  ];
  const server = await generate([{ name: 'commonName', value: 'kube-apiserver' }], {
    ...settings,
    ca,
    extensions: leaf([
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: 'kubernetes.default.svc' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ]),
  });
  const admin = await generate(
    [
      { name: 'commonName', value: 'testbed' },
      { name: 'organizationName', value: 'system:masters' },
    ],
    { ...settings, ca, extensions: leaf([{ name: 'extKeyUsage', clientAuth: true }]) },
  );
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return {
    ca: authority.cert,
    server: { certificate: server.cert, key: server.private },
    admin: { certificate: admin.cert, key: admin.private },
    serviceAccount: { key: pair.privateKey, publicKey: pair.publicKey },
  };
}
