import { goProgram } from '../go-program.ts';

/** https://github.com/prometheus/alertmanager */
const version = 'v0.28.1';

/**
 * Prometheus' Alertmanager: from the cache, else built there once (some minutes).
 * @throws when it is not there and cannot be built, with what to do
 */
export function alertmanagerBinary(): Promise<string> {
  return goProgram({
    name: 'alertmanager',
    from: { module: 'github.com/prometheus/alertmanager' },
    version,
    command: './cmd/alertmanager',
    go: '1.22',
  });
}
