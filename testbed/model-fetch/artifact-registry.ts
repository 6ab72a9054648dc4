import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { goProgram } from '../go-program.ts';
import { allAnswer, type Peer, peerFolder, startPeer } from '../serving/peer.ts';

const version = 'v3.1.2';

/** Who may read and write artifacts. */
export const account = {
  user: 'models',
  password: 'models-secret',
  /** As the registry keeps the password: bcrypt at its least cost. */
  kept: '$2b$04$EKgUJ4Q/ea94wlD2q1083Oy2rR0lzRjO1gn4sW4Oj5xbguL1mQGGe',
};

/** The registry of the CNCF's Distribution, without the drivers of the clouds, which are most of the work to build it. */
export function registryProgram(): Promise<string> {
  return goProgram({
    name: 'registry',
    from: { module: 'github.com/distribution/distribution/v3' },
    version,
    command: './cmd/registry',
    go: '1.26',
    prepare: (source) => {
      const main = join(source, 'cmd/registry/main.go');
      const clouds = /^.*storage\/driver\/(?:azure|gcs|s3-aws|middleware\/cloudfront)".*\n/gm;
      writeFileSync(main, readFileSync(main, 'utf8').replaceAll(clouds, ''));
    },
  });
}

/** Starts one on loopback that only `account` may use. */
export async function artifactRegistry(): Promise<Peer> {
  const [port = 0] = await freePorts(1);
  const folder = peerFolder('registry');
  writeFileSync(join(folder, 'users'), `${account.user}:${account.kept}\n`);
  writeFileSync(
    join(folder, 'config.yml'),
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
      http: { addr: `127.0.0.1:${port}` },
      auth: { htpasswd: { realm: 'models', path: join(folder, 'users') } },
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  return startPeer({
    name: `registry ${version}`,
    command: await registryProgram(),
    args: ['serve', join(folder, 'config.yml')],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    folder,
    addresses: { url },
    ready: () => allAnswer(`${url}/`),
  });
}
