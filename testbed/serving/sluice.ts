import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, type PeerModel, peerFolder, startPeer } from './peer.ts';

const cli = join(import.meta.dirname, '..', '..', 'cli', 'index.ts');

/** Our own server, as a user starts it: `sluice serve MODEL.onnx`, run from source. */
export async function startSluice([model, ...others]: readonly PeerModel[]): Promise<Peer> {
  if (model === undefined || others.length > 0) throw new Error('Give one model.');
  const folder = peerFolder('serve');
  const file = join(folder, `${model.name}.onnx`);
  copyFileSync(model.file, file);
  const [http = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${http}`;
  return startPeer({
    name: 'sluice',
    command: process.execPath,
    args: [cli, 'serve', file, '--port', String(http), '--drain-delay', '0'],
    env: {},
    folder,
    addresses: { url, metrics: `${url}/metrics` },
    ready: () => allAnswer(`${url}/v2/models/${model.name}/ready`),
  });
}
