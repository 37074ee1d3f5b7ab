const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', 0: '\0' }

/** Returns a text without the escapes that ClickHouse writes with a backslash. */
export function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_all, letter: string) => ESCAPES[letter] ?? letter)
}
