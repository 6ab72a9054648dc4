import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const everyMs = 20;
const pageBytes = 4096;

/**
 * The most bytes that a process and all it started held in memory together, asked of Linux every 20 ms until `ended` settles. Pages that several of
 * them share are counted for each, so it is rather too much than too little.
 */
export async function peakOfTree(pid: number, ended: Promise<unknown>): Promise<number> {
  let running = true;
  const stop = () => {
    running = false;
  };
  ended.then(stop, stop);
  let peak = 0;
  while (running) {
    peak = Math.max(
      peak,
      treeOf(pid).reduce((sum, each) => sum + residentBytes(each), 0),
    );
    await sleep(everyMs);
  }
  return peak;
}

function treeOf(pid: number): readonly number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(treeOf)];
  } catch {
    // It ended while it was looked at.
    return [];
  }
}

function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
  } catch {
    return 0;
  }
}
