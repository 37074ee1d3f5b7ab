import { readFile } from 'node:fs/promises'

/**
 * Seconds of processor time that a process used up since it was started; NaN where the system doesn't tell. Linux
 * counts in hundredths of a second; `ps`, where there is one, only in whole ones.
 */
export async function processorSeconds(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
