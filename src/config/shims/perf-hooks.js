// The module `node:perf_hooks`: the clock that user space has anyway.
import { absent } from './absent.js'

export const { performance } = globalThis
export const constants = {}
export const PerformanceObserver = absent('perf_hooks.PerformanceObserver')
export const createHistogram = absent('perf_hooks.createHistogram')
export const monitorEventLoopDelay = absent('perf_hooks.monitorEventLoopDelay')
export default { performance, constants, PerformanceObserver, createHistogram, monitorEventLoopDelay }
