import type { NetworkPeer } from '../native.ts';

/** Who may send requests where nobody says: every pod of the namespace. */
export const defaultClients: readonly NetworkPeer[] = [{ podSelector: {} }];

/** Who may read metrics where nobody says: every pod of the namespace `monitoring`. */
export const defaultScrapers: readonly NetworkPeer[] = [
  { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
];
