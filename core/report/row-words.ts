/** Where a failing row is: its number, behind the file where the source has several. Empty where it has neither. */
export function rowWords(row: number | undefined, file: string | undefined): string {
  if (row === undefined) return '';
  return file === undefined ? String(row) : `${file}:${row}`;
}
