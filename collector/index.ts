export { type Collector, type CollectorDeps, createCollector } from './collector.js'
