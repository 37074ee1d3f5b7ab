/** Tables in memory, for the script tag, where IndexedDB is missing or broken. */
export { createMemoryTables as memoryTables } from '../../delivery/database/memory-tables.js'
