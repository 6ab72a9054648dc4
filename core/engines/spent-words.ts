import { counted } from '../text/index.ts';

/** `4 statements, 1.2 GB read`. */
export function spentWords(statements: number, bytes: number): string {
  const power = bytes < 1e6 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3) - 1);
  const unit = ['kB', 'MB', 'GB', 'TB'][bytes < 1e6 ? 0 : power];
  const amount = bytes / 1000 ** (bytes < 1e6 ? 1 : power + 1);
  return `${counted(statements, 'statement')}, ${Number(amount.toPrecision(3))} ${unit} read`;
}
