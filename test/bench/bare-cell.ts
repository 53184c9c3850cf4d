/** The child of the bare cell: passes questions and answers between a pipe and one isolate. */
import { Socket } from 'node:net'
import { bareGuest, eachLine } from './bare.ts'

const pipe = new Socket({ fd: 3, readable: true, writable: true })
const guest = await bareGuest((number) => {
  if (pipe.writableCorked === 0) {
    pipe.cork()
    setImmediate(() => pipe.uncork())
  }
  pipe.write(`${number}\n`)
})
eachLine(pipe, (line) => {
  if (line.startsWith('[')) guest.deliver(line)
  else {
    const [calls = 0, width = 0] = line.split(' ').map(Number)
    guest.run(calls, width)
  }
})
pipe.on('close', () => process.kill(process.pid, 'SIGKILL'))
