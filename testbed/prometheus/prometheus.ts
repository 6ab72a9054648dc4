import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { type Peer, peerFolder, startPeer, textOf } from '../serving/peer.ts';
import { prometheusBinary } from './prometheus-binary.ts';

/** A process that shows its metrics, and the labels it gets beside its own. */
export interface ScrapedTarget {
  readonly url: URL;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrometheusSettings {
  /** @default any that is free */
  readonly port?: number;
  /** Milliseconds between two scrapes. @default 250 */
  readonly scrapeMs?: number;
  /** Groups of rules, as in Prometheus' rule files; evaluated every second unless they say otherwise. @default none */
  readonly rules?: readonly object[];
}

/** The real Prometheus on loopback, which reads these targets every quarter of a second. Each starts with an empty memory. */
export async function startPrometheus(
  targets: readonly ScrapedTarget[],
  { port: wanted, scrapeMs = 250, rules = [] }: PrometheusSettings = {},
): Promise<Peer> {
  const command = await prometheusBinary();
  const folder = peerFolder('prometheus');
  const [port = 0] = wanted === undefined ? await freePorts(1) : [wanted];
  const config = {
    global: {
      scrape_interval: `${scrapeMs}ms`,
      scrape_timeout: `${Math.ceil(scrapeMs * 0.8)}ms`,
      evaluation_interval: '1s',
    },
    rule_files: ['rules.yml'],
    scrape_configs: [
      {
        job_name: 'models',
        static_configs: targets.map(({ url, labels }) => ({ targets: [url.host], labels })),
      },
    ],
  };
  // YAML has JSON in it.
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: rules }));
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
