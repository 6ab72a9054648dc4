import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../free-ports.ts';
import { goProgram } from '../go-program.ts';
import { type Peer, peerFolder, startPeer, textOf } from '../serving/peer.ts';

const version = 'v1.8.0';

/** Who owns every bucket. */
export const owner = { access: 'owner', secret: 'owner-secret' };

/** Versity's S3 gateway: https://github.com/versity/versitygw. */
export function versityProgram(): Promise<string> {
  return goProgram({
    name: 'versitygw',
    from: { module: 'github.com/versity/versitygw' },
    version,
    command: './cmd/versitygw',
    go: '1.25',
  });
}

/** Starts a service on loopback that speaks S3 and keeps versions, objects as files. */
export async function objectStore(): Promise<Peer> {
  const [port = 0] = await freePorts(1);
  const folder = peerFolder('versitygw');
  for (const name of ['buckets', 'versions', 'users', 'metadata']) mkdirSync(join(folder, name));
  const url = `http://127.0.0.1:${port}`;
  return startPeer({
    name: `versitygw ${version}`,
    command: await versityProgram(),
    args: [
      ...['--port', `127.0.0.1:${port}`, '--access', owner.access, '--secret', owner.secret, '--region', 'eu-north-1'],
      ...['--iam-dir', join(folder, 'users'), '--health', '/healthz'],
      ...['posix', '--versioning-dir', join(folder, 'versions'), '--sidecar', join(folder, 'metadata')],
      join(folder, 'buckets'),
    ],
    env: {},
    folder,
    addresses: { url },
    ready: async () => (await textOf(`${url}/healthz`)) !== undefined,
  });
}

const run = promisify(execFile);

/** Makes a user of it, who has no rights but those of buckets' policies. */
export async function createUser(access: string, secret: string, url: string): Promise<void> {
  await run(await versityProgram(), [
    ...['admin', '--access', owner.access, '--secret', owner.secret, '--region', 'eu-north-1', '--endpoint-url', url],
    ...['create-user', '--access', access, '--secret', secret, '--role', 'user'],
  ]);
}
