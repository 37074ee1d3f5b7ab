/**
 * Joins texts as one text, from which each can be told again whatever they hold: the length in front of each keeps them
 * apart, so that ("a", "bc") and ("ab", "c") differ. For keys and inputs of hashes that are made of ids which clients
 * choose.
 */
export function joined(texts: readonly string[]): string {
  let all = ''
  for (const text of texts) all += `${text.length}:${text}`
  return all
}
