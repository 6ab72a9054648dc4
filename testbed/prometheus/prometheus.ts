import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../serving/free-ports.ts';
import { type Peer, peerFolder, startPeer, textOf } from '../serving/peer.ts';
import { prometheusBinary } from './prometheus-binary.ts';

/** A process that shows its metrics, and the labels it gets beside its own. */
export interface ScrapedTarget {
  readonly url: URL;
  readonly labels: Readonly<Record<string, string>>;
}

/** The real Prometheus on loopback, which reads these targets every quarter of a second. */
export async function startPrometheus(targets: readonly ScrapedTarget[]): Promise<Peer> {
  const command = await prometheusBinary();
  const folder = peerFolder('prometheus');
  const [port = 0] = await freePorts(1);
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '200ms' },
    scrape_configs: [
      {
        job_name: 'models',
        static_configs: targets.map(({ url, labels }) => ({ targets: [url.host], labels })),
      },
    ],
  };
  // YAML has JSON in it.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  return startPeer({
    name: 'prometheus',
    command,
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    env: {},
    folder,
    addresses: { url },
    // It looks for its targets some seconds after it is ready.
    ready: async () => {
      const answer = await textOf(`${url}/api/v1/query?query=count(up)`);
      return answer?.includes(`"${targets.length}"]`) === true;
    },
  });
}
