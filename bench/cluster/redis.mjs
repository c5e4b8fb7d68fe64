// A Redis server for one measurement: on this machine, on a free port, without files. Asked with plain sockets, so that
// this folder needs no client.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const START_MS = 5000
const ASK_MS = 50

/** { url, pid, info(): the figures of INFO as an object of texts, stop() } */
export async function startRedis(folder) {
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', args.map(String), { stdio: 'ignore' })
  const failed = new Promise((_, reject) => {
    child.once('error', (error) => reject(new Error(`redis-server does not start: ${error.message}`)))
    child.once('exit', (code) => reject(new Error(`redis-server ended with exit code ${code}`)))
  })
  // It is also rejected by the end that is asked for.
  failed.catch(() => undefined)
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  try {
    await Promise.race([failed, answers(port)])
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid, info: () => info(port), stop }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port) {
  for (const end = performance.now() + START_MS; ; await sleep(ASK_MS)) {
    try {
      await info(port)
      return
    } catch (error) {
      if (performance.now() > end) throw error
    }
  }
}

async function info(port) {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.setTimeout(START_MS, () => socket.destroy(new Error('redis-server does not answer')))
    // QUIT: the answer ends with the connection.
    socket.write('INFO everything\r\nQUIT\r\n')
    let text = ''
    for await (const part of socket.setEncoding('utf8')) text += part
    return infoFields(text)
  } finally {
    socket.destroy()
  }
}

/** The lines `name:value` of an answer to INFO. */
export function infoFields(text) {
  const lines = text.split('\r\n').filter((line) => /^\w+:/.test(line))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

/** What Redis did between two answers: { inBytes, outBytes, commands, peakMemoryBytes }. */
export function redisWork(before, after) {
  const grown = (name) => Number(after[name]) - Number(before[name])
  return {
    inBytes: grown('total_net_input_bytes'),
    outBytes: grown('total_net_output_bytes'),
    commands: grown('total_commands_processed'),
    peakMemoryBytes: Number(after.used_memory_peak),
  }
}
