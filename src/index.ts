/** The public face of Gatehouse. */
export { Agent, type AgentOptions, type Program } from './agents.ts'
export type {
  ApprovalOptions,
  ApprovalRequest,
  ApproveOptions,
  Change,
  DenyOptions,
  HookAnswer,
} from './approvals/request.ts'
export type { EvidenceFolderOptions, KernelOptions } from './config/options.ts'
export type { PolicyRef } from './config/policy.ts'
export type { ForkOptions, ResumeOptions, Unsettled } from './config/rebuild.ts'
export type { Declassification } from './declassify.ts'
export type {
  EmbeddingModelObject,
  EmbedFunction,
  FunctionReply,
  LanguageModelObject,
  ModelFunction,
} from './drivers/llm/given.ts'
export type { ModelContext, Prompt } from './drivers/llm/model.ts'
export type { LlmOptions, ModelOption } from './drivers/llm/open.ts'
export type { ModelUsage } from './drivers/llm/wrapped.ts'
export type { SecretOption } from './drivers/net/secrets/open.ts'
export type {
  ToolContext,
  ToolDefinition,
  ToolOptions,
  WrappedDefinition,
} from './drivers/tool-definition.ts'
export { type Errno, errnos, KernelError, SyscallError } from './errors.ts'
export type { Entry } from './evidence/entry.ts'
export { EvidenceError } from './evidence/store.ts'
export type { Verification } from './evidence/verify.ts'
export { governedMethods } from './govern/metadata.ts'
export type { GovernOptions } from './govern/types.ts'
export { type CurrentProcess, currentProcess } from './host/current.ts'
export { checkFramework, type Tested } from './host/framework.ts'
export type { ModelAsk, ModelReply, ModelSaid } from './host/model-call.ts'
export { Session } from './host/session.ts'
export type { Framework, SessionOptions, WrapOptions } from './host/wrap.ts'
export type { GenericTool, Governed, ToolError } from './host/wrap-tool.ts'
export type { ToolResult, WrappedModel, WrappedRun, WrappedTool, Wrapping } from './host/wrapping.ts'
export type { InspectedCall, InspectedFrame, Inspection, LiveInspection } from './inspect.ts'
export type { Json } from './json.ts'
export { KernelSpace, type SpawnOptions } from './kernel.ts'
export type { KernelEvents } from './observers.ts'
export { PolicyError } from './policy/problem.ts'
export type { Decision, Isolation, PolicyDocument } from './policy/types.ts'
export type { Exit, ProcessState } from './proc/exit.ts'
export type { ProcessHandle } from './proc/handle.ts'
export type { ProcessRow } from './proc/rows.ts'
export { AgentSignal } from './proc/signals.ts'
