import type { Command } from 'commander'

/** Flags of every command, listed last in its help. */
export function addCommonFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'say more: on an unexpected error, where it happened')
}
