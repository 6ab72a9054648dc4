import type { Model } from '../../core/onnx/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { counted } from './number-text.ts';

/**
 * Fails where files lie beside the model that are no data (T8), and says nothing where none do: the model is judged without them, but whoever
 * deploys its folder may load one, and then it runs code. The base branch may waive it until a date.
 */
export function neighbourChecks({ unsafeNeighbours: found }: Model, place: Place): readonly Check[] {
  if (found.length === 0) return [];
  const shown = found.slice(0, 5).map(({ name, kind }) => `${excerpt(name, 60)} is ${kind}`);
  return [
    {
      id: 'gate/files/beside',
      title: 'beside the model lies only data',
      section: 'gate',
      status: 'fail',
      message: `${shown.join('; ')}${found.length > shown.length ? '; ...' : ''}. None was loaded here. Keep the released model in a folder of its own, or let the base branch waive gate/files/beside until a date.`,
      observed: counted(found.length, 'file'),
      bound: { kind: 'must_hold', value: 'none' },
      place,
    },
  ];
}
