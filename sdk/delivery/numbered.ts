/**
 * Puts the running number into a message's JSON text without parsing it: `context` is the last field and never empty,
 * so the text ends with its brace and the message's.
 */
export function numbered(text: string, seq: number): string {
  return `${text.slice(0, -2)},"seq":${seq}}}`
}
