import type { TableEngine } from './table-engine.ts';

/** Milliseconds until whoever interrupts is not kept waiting any more: GitHub kills a cancelled job after a few seconds. */
const patience = 4000;

type Cancellable = Pick<TableEngine, 'cancel'>;

const open = new Set<Cancellable>();
let handled = false;

/**
 * Has an engine end what it runs when this process is told to stop: a scan that nobody waits for goes on costing. What else was to happen
 * then happens after it. Gives what takes the engine off the list.
 */
export function cancelledWithTheProcess(engine: Cancellable): () => void {
  open.add(engine);
  if (!handled) {
    handled = true;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const others = process.listeners(signal);
      process.removeAllListeners(signal);
      process.once(signal, async () => {
        await endInterrupted();
        for (const other of others) other.call(process, signal);
        if (others.length === 0) process.exit(signal === 'SIGINT' ? 130 : 143);
      });
    }
  }
  return () => open.delete(engine);
}

/** Ends what runs on every open engine, within a few seconds. Never throws. */
async function endInterrupted(): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, patience).unref());
  await Promise.race([Promise.allSettled([...open].map((engine) => engine.cancel())), late]);
}
