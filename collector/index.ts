export { type Collector, type CollectorDeps, createCollector } from './collector.js'
export { createMicro, type MicroDeps } from './micro/micro.js'
