import type { Protocol, ServedModel } from '../protocol.ts';
import { asked } from './golden-answers.ts';

/** What the server says of its model. Not to say it, or to fail at it, is no fault by itself: signature and version tell what lacks. */
export async function described(
  protocol: Pick<Protocol, 'describe'>,
): Promise<{ served?: ServedModel; problem?: string }> {
  const { answer, lost } = await asked(async () => ({
    status: 200,
    milliseconds: 0,
    value: await protocol.describe(),
  }));
  return {
    ...(answer?.value === undefined ? {} : { served: answer.value }),
    ...(lost === undefined ? {} : { problem: lost }),
  };
}
