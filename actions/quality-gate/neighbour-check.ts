import type { Model } from '../../core/onnx/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { counted } from './number-text.ts';

/**
 * A warning where files that run code lie beside the model, and nothing where none do: the model is judged without them, but whoever
 * deploys its folder may load one.
 */
export function neighbourChecks({ unsafeNeighbours: found }: Model, place: Place): readonly Check[] {
  if (found.length === 0) return [];
  const shown = found.slice(0, 5).map(({ name, kind }) => `${excerpt(name, 60)} is ${kind}`);
  return [
    {
      id: 'gate/files/beside',
      title: 'no file beside the model runs code',
      section: 'gate',
      status: 'warn',
      message: `${shown.join('; ')}${found.length > shown.length ? '; ...' : ''}. None was loaded here. Keep the released model in a folder of its own.`,
      observed: counted(found.length, 'file'),
      bound: { kind: 'must_hold', value: 'none' },
      place,
    },
  ];
}
