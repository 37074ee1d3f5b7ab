import { cpus, totalmem } from 'node:os'

/** Returns one line about the machine: without it, no number means anything. */
export function machineFacts(): string {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${cpu?.model.trim()}), ${memory} GB, Node ${process.versions.node}, ${process.platform} ${process.arch}`
}
