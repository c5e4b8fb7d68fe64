/** Undefined for what is no JSON: the check of a message then refuses it. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
