/**
 * Rows of data as what a model takes: which columns feed which input, and the tensors of some rows.
 *
 * @module
 */
export { requireFeedable } from './feedable.ts';
export { type Feeding, type FeedingPolicy, feedingsOf, type NamedModel } from './feeding.ts';
export { type FilledFeeding, feedsOf, fixedBatch, tensorOf } from './feeds.ts';
export { type GuardrailFinding, type GuardrailOptions, GuardrailTally } from './guardrail.ts';
export { textColumns } from './text-columns.ts';
