import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { bytesOf, copyTensors } from './batch.ts';

/** Answers of one model version, by what was asked. */
export interface PredictionCache {
  keyOf(feeds: Feeds, outputs: readonly string[] | undefined): string;
  get(key: string): Outputs | undefined;
  set(key: string, outputs: Outputs): void;
}

/**
 * Keeps at most `entries` answers of at most `bytes` together, each for `ttlSeconds`, those asked for least recently going first. `digest`
 * is the model file's: a key is the SHA-256 of it, the inputs and the outputs asked for, so no request can be given another's answer.
 */
export function predictionCache(
  digest: string,
  inputNames: readonly string[],
  {
    entries,
    bytes,
    ttlSeconds,
    now,
  }: { readonly entries: number; readonly bytes: number; readonly ttlSeconds: number; readonly now: () => number },
): PredictionCache {
  const answers = new LRUCache<string, Outputs>({
    max: entries,
    maxSize: bytes,
    ttl: ttlSeconds * 1000,
    // Asking a clock once a millisecond is exact enough, and the clock may stand at 0, which the package takes for "no time".
    perf: { now: () => now() + 1 },
    ttlResolution: 0,
  });
  return {
    keyOf(feeds, outputs) {
      const hash = createHash('sha256').update(digest);
      for (const name of inputNames) {
        const tensor = feeds[name];
        if (tensor === undefined) continue;
        hash.update(`\0${tensor.type}[${tensor.dims.join()}]`);
        if (ArrayBuffer.isView(tensor.data)) hash.update(tensor.data);
        // Lengths first: ["ab", "c"] and ["a", "bc"] are two things.
        else for (const text of tensor.data as readonly string[]) hash.update(`${text.length}:${text}`);
      }
      if (outputs !== undefined) hash.update(`\0${JSON.stringify(outputs)}`);
      return hash.digest('base64url');
    },
    get: (key) => answers.get(key),
    set(key, outputs) {
      // A copy: an answer may be a view of a whole batch.
      const size = bytesOf(outputs) + 256;
      if (size <= bytes) answers.set(key, copyTensors(outputs), { size });
    },
  };
}
