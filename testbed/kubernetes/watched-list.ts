import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ControlPlane } from './control-plane.ts';

interface Item {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

/**
 * Hears of every state that a list of the API server was in, from now on, one after another and none left out.
 * @param path of the list, with its selectors
 * @param heard is given all items, first as they are now and then after each change of one
 * @returns what ends it; throws then if the watch had broken, since something may have been missed
 */
export async function watchList<Each extends Item>(
  cluster: ControlPlane,
  path: string,
  heard: (items: readonly Each[]) => void,
): Promise<AsyncDisposable> {
  const { items, metadata } = (await cluster.must('GET', path)) as {
    readonly items: readonly Each[];
    readonly metadata: { readonly resourceVersion: string };
  };
  const state = new Map(items.map((item) => [item.metadata.uid, item]));
  heard([...state.values()]);
  const stop = new AbortController();
  const query = `watch=1&resourceVersion=${metadata.resourceVersion}`;
  const written = await cluster.stream(`${path}${path.includes('?') ? '&' : '?'}${query}`, stop.signal);
  const done = (async () => {
    for await (const line of createInterface({ input: Readable.from(written) })) {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Each };
      if (type === 'ERROR') throw new Error(`the watch of ${path} broke: ${line.slice(0, 500)}`);
      if (type === 'DELETED') state.delete(object.metadata.uid);
      else state.set(object.metadata.uid, object);
      heard([...state.values()]);
    }
    throw new Error(`the watch of ${path} ended by itself`);
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) return error;
    return undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      const broken = await done;
      if (broken !== undefined) throw broken;
    },
  };
}
