export interface WorkerSettings {
  readonly url: string
  readonly sharedDir: string
  readonly threads?: number
  readonly memory?: string
  readonly flags?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly nodeFlags?: readonly string[]
  /** The command line; default: that of this repository. */
  readonly program?: string
}

export class Process {
  readonly output: string
  readonly errors: string
  readonly pid: number
  readonly isRunning: boolean
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  signal(name: NodeJS.Signals): void
  said(text: string): Promise<void>
}

export function startWorker(settings: WorkerSettings): Process
