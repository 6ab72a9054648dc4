import type { Host } from '../../core/host/index.ts';
import { escapeMarkdown } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { readEvent } from '../../github/index.ts';
import { endRollout, isOver, type RolloutRecord, type Turn } from '../../rollout/index.ts';
import { RolloutNews } from './rollout-news.ts';
import { openProvider, type SavedRun } from './saved-run.ts';

const why = 'the job ended before the rollout did: it was cancelled, timed out, or its process was killed';

/**
 * What the step's `post` does: where the run that began is gone while it still held the rollout, brings it to its end, which is the baseline
 * in all but its last moments. A rollout that is over, holds for a next run, or is another run's is left as it is. Returns what was done, if
 * anything. Throws a `PeerError` when the provider does not answer.
 */
export async function restoreBaseline(
  saved: SavedRun,
  host: Host,
  { deployment, token }: { readonly deployment?: string; readonly token?: string } = {},
): Promise<RolloutRecord | undefined> {
  await using provider = openProvider(saved);
  const turns: Turn[] = [];
  const record = await endRollout({
    provider,
    holder: `${saved.holder}, after its end`,
    why,
    onlyOf: saved.holder,
    warn: (message) => host.warning(message),
    onTurn: (turn) => {
      turns.push(turn);
      for (const { text, warn } of turn.messages) (warn ? host.warning : host.info)(text);
    },
  });
  if (turns.length === 0 || record === undefined) return undefined;
  const ending = isOver(record) ? (record.phase === 'promoted' ? 'promoted' : 'rolled back') : record.phase;
  await host.summary(
    `## Canary ${ending}\n\nRollout ${escapeMarkdown(saved.id)} on ${escapeMarkdown(provider.title)}: ${escapeMarkdown(excerpt(record.reason ?? why, 300))}.\n`,
  );
  const news = RolloutNews.open(
    {
      ...(deployment === undefined ? {} : { deployment }),
      ...(token === undefined ? {} : { token }),
    },
    { event: await readEvent(process.env) },
    { id: saved.id, title: provider.title, host },
  );
  for (const turn of turns) news.tell(turn);
  await news.close(30_000);
  return record;
}
