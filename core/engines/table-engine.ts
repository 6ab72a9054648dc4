import type { SqlEngine, Table } from '../data/index.ts';
import type { Place } from '../problem/index.ts';

/** An engine whose tables are somewhere else. What it is told is only ever to read. */
export interface TableEngine extends SqlEngine, AsyncDisposable {
  /**
   * Looks at a table: its columns and how many rows it has now. Throws a `DataError` where it cannot be read, a `PeerError` where the
   * engine cannot be asked.
   */
  open(name: string, options?: OpenTableOptions): Promise<Table>;
  /** Ends what runs there for us. Never throws: whoever calls it is on the way out. */
  cancel(): Promise<void>;
  /** What the questions so far cost, for the log: `4 statements, 1.2 GB scanned`. */
  spent(): string;
}

export interface OpenTableOptions {
  /** The policy's line that names the table. */
  readonly place?: Place;
}
