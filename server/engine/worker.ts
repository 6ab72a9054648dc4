/** The thread of a long-running model: loads it, then runs what it is sent, one after the other. Started by `worker-pool.ts` only. */
import { parentPort, workerData } from 'node:worker_threads';
import { buffersOf } from './batch.ts';
import { openSession, runtimeMessage } from './session.ts';
import type { WorkerAnswer, WorkerOrder, WorkerTask } from './worker-pool.ts';

const port = parentPort;
if (port !== null) {
  const { path, native, warmUp, warmUpRuns }: WorkerTask = workerData;
  const answer = (message: WorkerAnswer, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  try {
    const session = await openSession(path, native);
    for (let run = 0; warmUp !== undefined && run < warmUpRuns; run++) session.run(warmUp.feeds, warmUp.names);
    port.on('message', ({ feeds, names }: WorkerOrder) => {
      const start = performance.now();
      const seconds = (): number => (performance.now() - start) / 1000;
      try {
        const outputs = session.run(feeds, names);
        answer({ kind: 'outputs', outputs, seconds: seconds() }, buffersOf(outputs));
      } catch (cause) {
        answer({ kind: 'failed', message: runtimeMessage(cause), seconds: seconds() });
      }
    });
    answer({ kind: 'ready' });
  } catch (cause) {
    answer({ kind: 'unloadable', message: runtimeMessage(cause) });
  }
}
