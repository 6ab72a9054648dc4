import { chunksOf } from './digest.ts';

export const lineFeed = 0x0a;
/** DuckDB refuses longer ones, and so does Sluice: it is a quote that was never closed more often than data. */
export const longestLine = 2_000_000;

/** The lines of a file in bytes. It ends early after a line of more than twice `longestLine`. */
export async function* linesOf(path: string, terminator: number): AsyncGenerator<{ bytes: Buffer; ended: boolean }> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(path)) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(terminator, from);
      if (end === -1) break;
      yield { bytes: Buffer.concat([...rest, chunk.subarray(from, end)]), ended: true };
      rest = [];
      length = 0;
      from = end + 1;
    }
    rest.push(chunk.subarray(from));
    length += chunk.length - from;
    // A line this long is a fault in any case; no need to hold the rest of the file.
    if (length > 2 * longestLine) break;
  }
  if (length > 0) yield { bytes: Buffer.concat(rest), ended: false };
}
