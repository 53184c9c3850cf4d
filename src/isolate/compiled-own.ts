/** The kernel's own scripts are compiled once in a process: later isolates take what V8 kept of it. Agent code never is. */
import type ivm from 'isolated-vm'

/** What the types of isolated-vm leave out. */
type Compiled = ivm.Script & { readonly cachedData?: ivm.ExternalCopy<ArrayBuffer> }

/** Text → what V8 made of it. */
const kept = new Map<string, ivm.ExternalCopy<ArrayBuffer>>()

/** @param text one of a few that the kernel has; where V8 does not take what was kept, it compiles anew */
export function compiledOwn(isolate: ivm.Isolate, text: string): ivm.Script {
  const filename = 'gatehouse:bootstrap'
  const cachedData = kept.get(text)
  if (cachedData !== undefined) return isolate.compileScriptSync(text, { filename, cachedData })
  const script: Compiled = isolate.compileScriptSync(text, { filename, produceCachedData: true })
  if (script.cachedData !== undefined) kept.set(text, script.cachedData)
  return script
}
