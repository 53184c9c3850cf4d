/**
 * Modules with the interface of those that `opa build -t wasm` makes (ABI 1.3), written in WebAssembly's own text form,
 * since the compiler of Rego is in no registry that the tests can reach. What they decide is looked up in the text of the
 * input, so that a test sees what has arrived there.
 */
import wabt from 'wabt'

/** What an entrypoint does: answers with a result, with no result, or fails in one of the ways that a module can. */
export type Act =
  | { readonly result: unknown }
  | { readonly text: string }
  | 'undefined'
  | 'trap'
  | 'abort'
  | 'spin'
  | 'hoard'

export interface Case {
  /** Found in the input as JSON; in the data where it begins with `data:`. */
  readonly when: string
  readonly act: Act
}

export interface Entrypoint {
  readonly cases?: readonly Case[]
  readonly otherwise: Act
}

/** @returns the bytes of the module */
export async function regoModule(entrypoints: Readonly<Record<string, Entrypoint>>): Promise<Uint8Array> {
  const tools = await wabt()
  const module = tools.parseWat('policy.wat', textOf(entrypoints))
  try {
    return Uint8Array.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}

/** Texts of a module, each at an address of its own and with a NUL after it. */
class Texts {
  #next = 1_024
  readonly segments: string[] = []

  add(text: string): { readonly at: number; readonly length: number } {
    const bytes = new TextEncoder().encode(text)
    const at = this.#next
    this.#next += bytes.length + 1
    const escaped = [...bytes, 0].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
    this.segments.push(`(data (i32.const ${at}) "${escaped}")`)
    return { at, length: bytes.length }
  }

  get end(): number {
    return Math.ceil(this.#next / 8) * 8
  }
}

function textOf(entrypoints: Readonly<Record<string, Entrypoint>>): string {
  const texts = new Texts()
  const numbers = Object.fromEntries(Object.keys(entrypoints).map((name, index) => [name, index]))
  const names = texts.add(JSON.stringify(numbers))
  const builtins = texts.add('{}')
  const bodies = Object.values(entrypoints).map(({ cases = [], otherwise }, index) => {
    const tests = cases.map(({ when, act }) => {
      const inData = when.startsWith('data:')
      const { at, length } = texts.add(inData ? when.slice('data:'.length) : when)
      const where = inData
        ? '(local.get $data) (global.get $dataLength)'
        : '(local.get $input) (local.get $length)'
      return `(if (call $has ${where} (i32.const ${at}) (i32.const ${length})) (then ${actOf(act, texts)}))`
    })
    return `(if (i32.eq (local.get $entrypoint) (i32.const ${index})) (then ${tests.join('\n')} ${actOf(otherwise, texts)}))`
  })
  return `(module
  (import "env" "memory" (memory 2))
  (import "env" "opa_abort" (func $abort (param i32)))
  (global (export "opa_wasm_abi_version") i32 (i32.const 1))
  (global (export "opa_wasm_abi_minor_version") i32 (i32.const 3))
  (global $heap (mut i32) (i32.const ${texts.end}))
  (global $dataLength (mut i32) (i32.const 0))
  (func (export "opa_malloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (local.get $at))
  (func (export "opa_heap_ptr_get") (result i32) (global.get $heap))
  (func (export "opa_heap_ptr_set") (param i32) (global.set $heap (local.get 0)))
  (func (export "opa_json_parse") (param $at i32) (param $length i32) (result i32)
    (global.set $dataLength (local.get $length))
    (local.get $at))
  (func (export "opa_json_dump") (param i32) (result i32) (local.get 0))
  (func (export "builtins") (result i32) (i32.const ${builtins.at}))
  (func (export "entrypoints") (result i32) (i32.const ${names.at}))
  (func $has (param $text i32) (param $length i32) (param $sought i32) (param $size i32) (result i32)
    (local $from i32) (local $step i32)
    (block $none (loop $next
      (br_if $none (i32.gt_s (i32.add (local.get $from) (local.get $size)) (local.get $length)))
      (local.set $step (i32.const 0))
      (block $differs (loop $same
        (if (i32.eq (local.get $step) (local.get $size)) (then (return (i32.const 1))))
        (br_if $differs (i32.ne
          (i32.load8_u (i32.add (i32.add (local.get $text) (local.get $from)) (local.get $step)))
          (i32.load8_u (i32.add (local.get $sought) (local.get $step)))))
        (local.set $step (i32.add (local.get $step) (i32.const 1)))
        (br $same)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $next)))
    (i32.const 0))
  (func (export "opa_eval")
    (param $reserved i32) (param $entrypoint i32) (param $data i32) (param $input i32) (param $length i32)
    (param $free i32) (param $format i32) (result i32)
    (local $turns i64)
    ${bodies.join('\n')}
    (unreachable))
  ${texts.segments.join('\n')}
)`
}

function actOf(act: Act, texts: Texts): string {
  if (typeof act === 'object') {
    const text = 'text' in act ? act.text : JSON.stringify([{ result: act.result }])
    return `(return (i32.const ${texts.add(text).at}))`
  }
  switch (act) {
    case 'undefined':
      return `(return (i32.const ${texts.add('[]').at}))`
    case 'trap':
      return '(unreachable)'
    case 'abort':
      return `(call $abort (i32.const ${texts.add('opa: out of luck').at})) (unreachable)`
    case 'spin':
      // Some seconds, which no compiler can shorten: each turn reads what the one before it has written.
      return `(loop $on
        (i64.store (local.get $free) (i64.add (i64.load (local.get $free)) (local.get $turns)))
        (local.set $turns (i64.add (local.get $turns) (i64.const 1)))
        (br_if $on (i64.lt_u (local.get $turns) (i64.const 2500000000)))) (return (i32.const ${texts.add('[{"result":true}]').at}))`
    case 'hoard':
      return `(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 256)) (i32.const 0)))) (unreachable)`
  }
}
