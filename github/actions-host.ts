import * as core from '@actions/core';
import type { Host, Progress } from '../core/host/index.ts';
import type { Place } from '../core/problem/index.ts';
import { printable } from '../core/text/index.ts';
import { commandText, logText } from './log-text.ts';
import { repositoryPath } from './repository-root.ts';

// A job's log keeps every line, so progress is told rarely.
const quietMs = 10_000;

/**
 * The host of a step in GitHub Actions. Everything it prints is made harmless first: no control characters, nothing the
 * runner takes for a command. `directory` is what places are relative to.
 */
export function actionsHost(directory = process.cwd()): Host {
  const annotation = (place: Place | undefined): core.AnnotationProperties => {
    const file = place?.file === undefined ? undefined : repositoryPath(place.file, directory);
    if (file === undefined) return {};
    return {
      file: printable(file),
      ...(place?.line === undefined ? {} : { startLine: place.line }),
      // The runner drops columns that come without a line.
      ...(place?.line === undefined || place.column === undefined ? {} : { startColumn: place.column }),
    };
  };
  return {
    async group(title, work) {
      core.startGroup(commandText(title));
      try {
        return await work();
      } finally {
        core.endGroup();
      }
    },
    info: (message) => core.info(logText(message)),
    notice: (message, place) => core.notice(commandText(message), annotation(place)),
    warning: (message, place) => core.warning(commandText(message), annotation(place)),
    error: (message, place) => core.error(commandText(message), annotation(place)),
    progress: (title) => progress(title),
    async summary(markdown) {
      await core.summary.addRaw(markdown, true).write();
    },
    output: (name, value) => core.setOutput(name, logText(value)),
    secret: (value) => {
      if (value !== '') core.setSecret(value);
    },
  };
}

function progress(title: string): Progress {
  let told = performance.now();
  return {
    update(done, total) {
      const now = performance.now();
      if (now - told < quietMs) return;
      told = now;
      const share = total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : '';
      core.info(logText(`${title}: ${done} of ${total}${share}`));
    },
    end() {},
  };
}
