import type { Log } from '@slotstream/runtime'
import type { ContentAge } from './contents/content-age.js'
import type { ContentSet } from './contents/content-set.js'
import type { LearningMetrics } from './metrics.js'
import type { ModelSet } from './models.js'
import type { FoldCounts, News } from './thread/messages.js'

/** Creates the function that applies news of the thread: models, counts of content, metrics. */
export function createNewsNotes(
  models: ModelSet,
  contents: ContentSet,
  age: Pick<ContentAge, 'noteChanges'>,
  metrics: Pick<LearningMetrics, 'dropped' | 'models' | 'refits' | 'bytes' | 'contentsLeft'>,
  log: Log,
): (news: News) => void {
  return news => {
    if (news.type === 'contents') {
      contents.put(news)
      age.noteChanges(news.isAll)
      return
    }
    if (news.type === 'memory') {
      metrics.bytes.set({ of: 'slots' }, news.slots)
      metrics.bytes.set({ of: 'contents' }, news.contents)
      metrics.contentsLeft.inc(news.left)
      return
    }
    if (news.type === 'dropped') {
      metrics.dropped.inc(news.epochs)
      log.error({ epochs: news.epochs }, 'rewards are so large that their sums are not exact: dropped what was learned')
      return
    }
    models.put(news)
    metrics.models.set(models.size)
    metrics.refits.observe(news.seconds)
  }
}

/** Creates the function that adds counts of processed messages to metrics. It logs each reason of refusals once. */
export function createFoldNotes(
  metrics: Pick<LearningMetrics, 'records' | 'repeats' | 'refused'>,
  log: Log,
): (counts: FoldCounts) => void {
  const logged = new Set<string>()
  const noteRefused = (reason: string, count: number, facts: object = {}) => {
    metrics.refused.inc({ reason }, count)
    if (logged.has(reason)) return
    logged.add(reason)
    log.error({ reason, ...facts }, 'learning records were not learned from; later ones are only counted')
  }
  return ({ records, repeats, refused, unreadable }) => {
    metrics.records.inc(records)
    metrics.repeats.inc(repeats)
    for (const [reason, count] of Object.entries(refused)) noteRefused(reason, count)
    for (const { stream, seq, reason } of unreadable) noteRefused('unreadable', 1, { stream, seq, why: reason })
  }
}
