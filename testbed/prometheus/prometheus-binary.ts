import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram } from '../go-program.ts';

/** Prometheus 3.9.1, as the Go module numbers it: https://github.com/prometheus/prometheus. */
const version = 'v0.309.1';

/**
 * Prometheus itself: from the cache, else built there once (some minutes).
 * @throws when it is not there and cannot be built, with what to do
 */
export function prometheusBinary(): Promise<string> {
  return programOfPrometheus('prometheus');
}

/**
 * Prometheus' own tool for rules: from the cache, else built there once.
 * @throws when it is not there and cannot be built, with what to do
 */
export function promtoolBinary(): Promise<string> {
  return programOfPrometheus('promtool');
}

/** Without the clients of the clouds, which find targets there and are most of the work, and without its pages. */
function programOfPrometheus(name: 'prometheus' | 'promtool'): Promise<string> {
  return goProgram({
    name,
    from: { module: 'github.com/prometheus/prometheus' },
    version,
    command: `./cmd/${name}`,
    go: '1.25',
    linkerFlags: `-X github.com/prometheus/common/version.Version=${version}`,
    prepare(source) {
      const plugins = join(source, 'plugins');
      for (const file of readdirSync(plugins)) rmSync(join(plugins, file), { recursive: true });
      writeFileSync(join(plugins, 'plugins.go'), 'package plugins\n');
    },
  });
}
