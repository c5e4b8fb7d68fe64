import type { Command } from 'commander'

/** Of a build and of an import. */
export const QUANTIZATION_HELP = 'what searches compare: f32, f16, sq8, pq or binary (default: f32)'

/** Flags of every command, listed last in its help. */
export function addCommonFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'say more: on an unexpected error, where it happened')
}
