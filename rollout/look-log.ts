import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AnalysisSettings, lookLine, runLine } from './analysis/index.ts';
import type { Turn } from './live-rollout.ts';

/**
 * The file of looks of one run, one line of JSON each, from which every decision can be replayed (`sluice canary replay`). Written as it happens,
 * so that a run that dies leaves what it saw. A file that cannot be written is told once; it decides nothing.
 */
export class LookLog {
  readonly #file: string;
  readonly #settings: AnalysisSettings;
  readonly #onTrouble: (message: string) => void;
  #begun = false;
  #broken = false;

  constructor(file: string, settings: AnalysisSettings, onTrouble: (message: string) => void) {
    this.#file = file;
    this.#settings = settings;
    this.#onTrouble = onTrouble;
  }

  async add({ look, analysed, before }: Turn): Promise<void> {
    if (this.#broken || look === undefined || analysed === undefined) return;
    try {
      if (!this.#begun) {
        await mkdir(dirname(this.#file), { recursive: true });
        await appendFile(this.#file, `${runLine(this.#settings, before.analysis)}\n`);
      }
      this.#begun = true;
      await appendFile(this.#file, `${lookLine(look, analysed)}\n`);
    } catch (error) {
      this.#broken = true;
      this.#onTrouble(`The looks cannot be recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
