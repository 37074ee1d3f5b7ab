/**
 * The smallest of `values` that at least the share `p` of them doesn't exceed (nearest rank: a value that was really
 * measured). NaN when there are none.
 *
 * @param p from 0 to 1: 0.5 is the median
 */
export declare function percentile(values: readonly number[], p: number): number
