/** A Markdown table: the first column aligned left, the others, which hold numbers, right. */
export declare function markdownTable(header: string[], rows: string[][]): string
/** A whole number with commas: 12,345. */
export declare function whole(value: number): string
/** Milliseconds with as many digits as mean something: 0.42, 8.1, 1,204. */
export declare function milliseconds(value: number): string
