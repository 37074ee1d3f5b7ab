import type { ContentsModel } from './content-model.js'

/** Views and rewards of a list of contents, as columns in its order; 0: uncounts. */
export interface ContentColumns {
  views: Float64Array
  rewards: Float64Array
}

/** Columns by model, then by list. They are freed with the model. */
const COLUMNS = new WeakMap<ContentsModel, WeakMap<object, ContentColumns>>()

/**
 * Returns the columns of a list of contents, looked up once for each model and list object, which must not be changed
 * afterwards.
 */
export function columnsOf(model: ContentsModel, contents: readonly { id: string }[]): ContentColumns {
  const ofModel = COLUMNS.get(model) ?? new WeakMap<object, ContentColumns>()
  COLUMNS.set(model, ofModel)
  const cached = ofModel.get(contents)
  if (cached) return cached
  const columns = { views: new Float64Array(contents.length), rewards: new Float64Array(contents.length) }
  for (const [place, { id }] of contents.entries()) {
    const counts = model.byId.get(id)
    if (!counts) continue
    columns.views[place] = counts.views
    columns.rewards[place] = counts.rewards
  }
  ofModel.set(contents, columns)
  return columns
}
