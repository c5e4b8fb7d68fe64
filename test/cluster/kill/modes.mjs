/**
 * What happens to a build on many hosts. A mode gets the site, the build that was just started, and `moment(part)`, which
 * resolves at a random moment of the stages that hosts work for, or of their first part; it answers the coordinator whose report counts.
 */
import { setTimeout } from 'node:timers/promises'

/** Other processes run meanwhile: a sleep that nobody waits for any more keeps none alive. */
const sleep = (seconds) => setTimeout(1000 * seconds, undefined, { ref: false })

/** A worker dies; another one comes a little later. */
async function kill(site, coordinator, { moment }) {
  await moment()
  const worker = site.aWorker()
  worker.signal('SIGKILL')
  site.did('a worker was killed', site.lockSeconds + 5)
  await sleep(site.random())
  site.addWorker()
  return coordinator
}

/** A worker is told to end, and ends in order. */
async function end(site, coordinator, { moment }) {
  await moment()
  const worker = site.aWorker()
  worker.signal('SIGTERM')
  site.did('a worker was told to end', 2)
  site.addWorker()
  const { code, signal } = await worker.ended
  if (code !== 0) site.did(`WRONG: it ended with ${signal ?? code}: ${worker.errors.slice(-300)}`)
  return coordinator
}

/** A worker stands still for longer than the lock, and wakes up later: while the build runs, or after it. */
async function stop(site, coordinator, { moment }) {
  await moment()
  const worker = site.aWorker()
  worker.signal('SIGSTOP')
  site.did('a worker stood still', site.lockSeconds + 5)
  await Promise.race([coordinator.ended, sleep(site.lockSeconds + 6 + 4 * site.random())])
  site.did(`it woke up ${coordinator.isRunning ? 'during' : 'after'} the build`)
  worker.signal('SIGCONT')
  return coordinator
}

/** Redis dies, and comes back with its data. */
async function redis(site, coordinator, { moment }) {
  await moment()
  const away = 0.2 + 4 * site.random()
  await site.redis.kill()
  await sleep(away)
  await site.redis.start()
  site.did(`Redis was away for ${away.toFixed(1)} s`, away + 2 + site.lockSeconds)
  return coordinator
}

/** Redis dies, and comes back empty. */
async function forget(site, coordinator, { moment }) {
  await moment()
  const away = 0.2 + 2 * site.random()
  await site.redis.kill()
  site.redis.forget()
  await sleep(away)
  await site.redis.start()
  site.did(`Redis was away for ${away.toFixed(1)} s and forgot everything`, away + 6 + site.lockSeconds)
  return coordinator
}

/** Redis loses everything, and nobody's connection. */
async function flush(site, coordinator, { moment }) {
  for (let times = 0; times < 3 && coordinator.isRunning; times++) {
    await moment(0.5)
    await site.redis.call('FLUSHALL')
    site.did('Redis was flushed', 4 + site.lockSeconds)
  }
  return coordinator
}

/** Redis loses some of its keys, as one that evicts does. */
async function evict(site, coordinator, { moment }) {
  await moment(0.5)
  let lost = 0
  for (let times = 0; times < 5 && coordinator.isRunning; times++) {
    for (const key of await site.redis.call('KEYS', '*')) {
      if (site.random() < 0.3) lost += await site.redis.call('DEL', key)
    }
    await sleep(0.3)
  }
  site.did(`Redis lost ${lost} keys`, 10 + site.lockSeconds)
  return coordinator
}

/** Redis stands still with all its connections, for longer than the lock. */
async function hang(site, coordinator, { moment }) {
  await moment()
  const away = site.lockSeconds + 3 * site.random()
  site.redis.signal('SIGSTOP')
  await sleep(away)
  site.redis.signal('SIGCONT')
  site.did(`Redis stood still for ${away.toFixed(1)} s`, away + 2 + 2 * site.lockSeconds)
  return coordinator
}

/** Redis is full and refuses what writes, or is a replica for a while: it answers with errors. */
async function refuse(site, coordinator, { moment }) {
  await moment()
  const [begin, end] =
    site.random() < 0.5
      ? [
          ['CONFIG', 'SET', 'maxmemory', '1'],
          ['CONFIG', 'SET', 'maxmemory', '0'],
        ]
      : [
          ['REPLICAOF', '127.0.0.1', '1'],
          ['REPLICAOF', 'NO', 'ONE'],
        ]
  const away = 0.5 + 5 * site.random()
  await site.redis.call(...begin)
  await sleep(away)
  await site.redis.call(...end)
  site.did(`${begin.join(' ')} for ${away.toFixed(1)} s`, away + 4 + 2 * site.lockSeconds)
  return coordinator
}

/** All connections to Redis break, again and again. */
async function disconnect(site, coordinator, { moment }) {
  await moment(0.5)
  for (let times = 0; times < 8 && coordinator.isRunning; times++) {
    await site.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await sleep(0.5 * site.random())
  }
  site.did('connections broke', 8 + site.lockSeconds)
  return coordinator
}

/** The coordinator stands still for longer than the lock. */
async function pause(site, coordinator, { moment }) {
  await moment()
  const away = site.lockSeconds + 6 * site.random()
  coordinator.signal('SIGSTOP')
  await sleep(away)
  coordinator.signal('SIGCONT')
  site.did(`the coordinator stood still for ${away.toFixed(1)} s`, away + 2)
  return coordinator
}

/** The coordinator dies; the same command goes on. */
async function coordinator(site, first, { moment, again }) {
  await moment()
  if (!first.isRunning) return first
  first.signal('SIGKILL')
  await first.ended
  site.did('the coordinator was killed', 5)
  await sleep(2 * site.random())
  return again()
}

/** A worker stands still, the coordinator dies and goes on, the worker wakes up with a task of the first run. */
function late(site, first, { moment, again }) {
  return sleptThrough(site, first, moment, again, 'began again')
}

/** As late, and the second run builds other vectors under the same name. */
function other(site, first, { moment, another }) {
  return sleptThrough(site, first, moment, another, 'another build began')
}

async function sleptThrough(site, first, moment, next, what) {
  await moment()
  const worker = site.aWorker()
  worker.signal('SIGSTOP')
  await sleep(0.3 * site.random())
  first.signal('SIGKILL')
  await first.ended
  const second = next()
  await Promise.race([second.ended, sleep(4 * site.random())])
  worker.signal('SIGCONT')
  site.did(`a worker slept while the coordinator died and ${what}`, 5 + site.lockSeconds)
  return second
}

/** The coordinator dies; one machine alone goes on, dies too, and hosts go on again. */
async function change(site, first, { moment, again }) {
  await moment()
  first.signal('SIGKILL')
  await first.ended
  const alone = again({ isAlone: true })
  await Promise.race([alone.ended, sleep(0.5 + 2 * site.random())])
  if (alone.isRunning) alone.signal('SIGKILL')
  await alone.ended
  site.did('a build over hosts went on without them, and with them again', 8)
  return again()
}

/** The coordinator dies at a file operation of its own; the same command goes on. */
async function journal(site, first, { again }) {
  const { signal } = await first.ended
  if (signal !== 'SIGKILL') return first
  site.did('the coordinator died there', 5)
  return again()
}

/** A host and Redis at once. */
async function both(site, coordinator, context) {
  const oneOf = (modes) => modes[Math.floor(site.random() * modes.length)]
  const modes = [oneOf([kill, stop]), oneOf([redis, forget, flush, hang])]
  await Promise.all(modes.map((mode) => mode(site, coordinator, context)))
  return coordinator
}

export const MODES = {
  kill,
  end,
  stop,
  redis,
  forget,
  flush,
  evict,
  hang,
  refuse,
  disconnect,
  pause,
  coordinator,
  late,
  other,
  change,
  journal,
  both,
}
