/** The contract of a queue of batches. */

import type { Batch, BatchRef } from './batch.js'
import type { SpillBudget } from './spill-budget.js'

/**
 * Batches, first in, first out. Any number of pushes and takers may be under way; they are served in the order of the
 * calls.
 */
export interface Queue<H = unknown> extends AsyncIterable<Batch<H>, void, undefined> {
  readonly name: string

  /** What is in the queue, without batches that are handed off and pushes that still wait for room. */
  readonly length: QueueLength

  /** Paths of its spill files, oldest first. */
  readonly files: readonly string[]

  /**
   * Resolves when the batch is held within the budget, or written; until then other pushes to any queue of the budget
   * wait too. The batch belongs to the queue from the call on: nothing may write to its bytes or its header, and its
   * buffer goes back to the pool (if it is from there) once it is on disk. Rejects with the budget's failure if it has
   * one.
   */
  push(batch: Batch<H>): Promise<void>

  /**
   * Takes the oldest batch, which the queue no longer counts; undefined when the queue is empty and no push is under
   * way. Its bytes can go back to the budget's pool after use. Throws CorruptSpillError when its frame is damaged.
   */
  shift(): Promise<Batch<H> | undefined>

  /** Writes everything that was pushed before the call to disk. */
  spill(): Promise<void>

  /**
   * Empties the queue into refs for a task, in FIFO order. In-memory batches stay charged, and files stay on disk,
   * until the same refs are given to release().
   */
  handOff(): Promise<BatchRef<H>[]>

  /**
   * Ends the use of these refs (the objects that handOff() returned): their buffers go back to the pool, and files
   * without unconsumed frames are deleted. Throws for a ref that is not handed off.
   */
  release(refs: readonly BatchRef<H>[]): Promise<void>

  /**
   * Refuses pushes from now on; batches can still be taken. Waits for pushes and writes under way and throws their
   * error.
   */
  close(): Promise<void>

  /**
   * Gives back all memory after waiting for reads and writes under way. Buffers that are handed off are left to the
   * garbage collector: a task may still be reading them. Does not throw what made the budget fail.
   */
  dispose(): Promise<void>
}

export interface QueueOptions {
  /** Begins the names of its spill files: letters, digits, '.', '_' and '-'. Unique in the directory. */
  readonly name: string
  /** Where spill files go; made when the first one is written. */
  readonly directory: string
  readonly budget: SpillBudget
  /** Hands off refs of files only, which tasks on other hosts can read: what is in memory is written first. */
  readonly handsOffFiles?: boolean
}

export interface QueueLength {
  readonly batches: number
  readonly vectors: number
  /** Batches being written count as in memory until they are on disk. */
  readonly memory: QueuePart
  readonly disk: QueuePart
}

interface QueuePart {
  readonly batches: number
  readonly vectors: number
  readonly bytes: number
}
