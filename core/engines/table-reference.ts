import { quoteIdentifier } from '../data/index.ts';

/** `sales.orders` as SQL: each part quoted, so that a name can be nothing but a name. */
export function tableReference(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}
