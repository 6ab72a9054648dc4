/** What waits for one receiver; more is news of yesterday. */
const mostWaiting = 50;

/**
 * Messages to others, sent beside the rollout: each receiver gets them in order, and one that is slow or away holds up neither the rollout nor
 * the other receivers. A receiver that fails is told of once.
 */
export class Outbox {
  readonly #onTrouble: (receiver: string, error: unknown) => void;
  readonly #queues = new Map<string, { waiting: number; last: Promise<void> }>();
  readonly #failed = new Set<string>();

  constructor(onTrouble: (receiver: string, error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  send(receiver: string, work: () => Promise<void>): void {
    const queue = this.#queues.get(receiver) ?? { waiting: 0, last: Promise.resolve() };
    this.#queues.set(receiver, queue);
    if (queue.waiting >= mostWaiting) return;
    queue.waiting++;
    queue.last = queue.last
      .then(work)
      .catch((error: unknown) => {
        if (this.#failed.has(receiver)) return;
        this.#failed.add(receiver);
        this.#onTrouble(receiver, error);
      })
      .finally(() => {
        queue.waiting--;
      });
  }

  /** Waits until all are sent, at most so many milliseconds. */
  async drain(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([Promise.all([...this.#queues.values()].map(({ last }) => last)), late]);
    clearTimeout(timer);
  }
}
