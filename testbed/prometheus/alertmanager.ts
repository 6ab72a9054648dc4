import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { type Peer, peerFolder, startPeer, textOf } from '../serving/peer.ts';
import { alertmanagerBinary } from './alertmanager-binary.ts';

/** The real Alertmanager on loopback, alone, with this configuration as YAML. */
export async function startAlertmanager(config: string): Promise<Peer> {
  const command = await alertmanagerBinary();
  const folder = peerFolder('alertmanager');
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, config);
  const url = `http://127.0.0.1:${port}`;
  return startPeer({
    name: 'alertmanager',
    command,
    args: [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // No peers to gossip with.
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    env: {},
    folder,
    addresses: { url },
    ready: async () => (await textOf(`${url}/-/ready`)) !== undefined,
  });
}
