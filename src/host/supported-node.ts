/** Runs on versions of Node.js that are too old for the rest: nothing here may be new. */

/** Why this version of Node.js cannot run Shardloom; undefined when it can. 20.19, or 22.2 or later, has what is used. */
export function whyUnsupported(version: string): string | undefined {
  const [major, minor] = version.split('.').map(Number)
  const supported = major === 20 ? minor >= 19 : major === 22 ? minor >= 2 : major > 22
  return supported ? undefined : `shardloom needs Node.js 20.19, or 22.2 or later; this is ${version}`
}
