/**
 * Rows of data as what a model takes: which columns feed which input, and the tensors of some rows.
 *
 * @module
 */
export { type Feeding, type FeedingPolicy, feedingsOf } from './feeding.ts';
export { type FilledFeeding, feedsOf, fixedBatch, requireFeedable, tensorOf } from './feeds.ts';
export { type GuardrailFinding, type GuardrailOptions, GuardrailTally } from './guardrail.ts';
export { textColumns } from './text-columns.ts';
