import type { Problem } from '../../core/problem/index.ts';
import { Connection } from './connection.ts';
import { nanoseconds } from './nanoseconds.ts';
import type { ReaderLimits } from './response-reader.ts';
import type { Route } from './route.ts';

/** Connections to one server, kept while they are usable, and the watch over requests that take too long. */
export class ConnectionPool implements Disposable {
  /** How many were ever opened. */
  opened = 0;
  /** How many are being opened. */
  opening = 0;
  readonly #route: Route;
  readonly #limits: ReaderLimits;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #watch: NodeJS.Timeout;

  constructor(route: Route, limits: ReaderLimits) {
    this.#route = route;
    this.#limits = limits;
    const every = Math.min(100, Math.max(5, route.timeoutMs / 20));
    this.#watch = setInterval(() => {
      const now = nanoseconds();
      for (const connection of this.#all) connection.expire(now);
    }, every);
  }

  /** How many there are: busy, idle, being opened. Those that died while idle count until `idle` meets them. */
  get size(): number {
    return this.#all.size + this.opening;
  }

  /** An idle connection, the one used last first; undefined if there is none. */
  idle(): Connection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.usable) return last;
      this.#drop(last);
    }
    return undefined;
  }

  async open(): Promise<Connection | { readonly lost: Problem }> {
    this.opening++;
    const connection = await Connection.open(this.#route, this.#limits);
    this.opening--;
    if (!('lost' in connection)) {
      this.opened++;
      this.#all.add(connection);
    }
    return connection;
  }

  async take(): Promise<Connection | { readonly lost: Problem }> {
    return this.idle() ?? (await this.open());
  }

  /** Takes a connection back. */
  give(connection: Connection): void {
    if (connection.usable) this.#idle.push(connection);
    else this.#drop(connection);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
    for (const connection of this.#all) connection.close();
  }

  #drop(connection: Connection): void {
    connection.close();
    this.#all.delete(connection);
  }
}
