import type { ESTIMATE_COMMAND_OPTIONS } from '../../options/command-options.js'
import { estimateMemory, type MemoryEstimate } from '../../pipeline/estimate-memory.js'
import { suggestQuantization, type QuantizationSuggestion } from '../../plan/suggest-quantization.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { estimateLines, quantizationLines } from '../print/estimate-lines.js'

type EstimateFlags = OptionsOf<typeof ESTIMATE_COMMAND_OPTIONS>

interface Estimate extends MemoryEstimate {
  readonly suggestedQuantization: QuantizationSuggestion
}

export const estimateCommand: CommandBody<EstimateFlags, Estimate> = { run, print }

async function run({ json: _json, verbose: _verbose, ...options }: EstimateFlags): Promise<Estimate> {
  const estimate = estimateMemory(options)
  const { count, dimensions, metric, m } = options
  const suggested = suggestQuantization({ count, dimensions, metric, m, memory: estimate.budgetBytes })
  return { ...estimate, suggestedQuantization: suggested }
}

function print(estimate: Estimate, options: EstimateFlags): string[] {
  return [...estimateLines(estimate, options), ...quantizationLines(estimate.suggestedQuantization)]
}
