export function openDetails(): void
export function pageWidth(): number
export function partsBeyondScreen(): string[]
export function overlappingLabels(): string[]
export function figureDrawings(): { id: string; drawings: number; least: number; most: number }[]
export function axeFindings(): Promise<{ passes: string[]; violations: string[] }>
export function backgroundColor(): string
export function tileFigures(): Record<string, string>
export function tableRows(id: string): string[][]
export function lastParts(selector: string): string[]
export function heightsOf(selector: string): number[]
export function focused(): { name: string; text: string; isOnScreen: boolean; outline: string }
