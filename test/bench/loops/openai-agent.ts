/** The same loop in user space, where the tool is one of the kernel's. */
import { tools } from 'gatehouse/guest'
import { openaiLoop } from './openai.ts'

export default (server: string, apiKey: string): Promise<string> =>
  openaiLoop(server, apiKey, () => tools.work({}))
