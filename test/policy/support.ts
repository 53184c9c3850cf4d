/** Policies and requests for the tests of this folder. */
import { compilePolicies } from '../../src/policy/compile.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { PolicyDocument, PolicySet, Request, RuleDocument } from '../../src/policy/types.ts'

export const request = (action: string, resource: string, more: Partial<Request> = {}): Request => ({
  principal: 'desk',
  action,
  resource,
  args: {},
  isolation: 'cell',
  ...more,
})

export const documentOf = (
  rules: readonly RuleDocument[],
  more: Partial<PolicyDocument> = {},
): PolicyDocument => ({
  version: 1,
  name: 'test',
  ...more,
  rules,
})

export const setOf = (...documents: readonly PolicyDocument[]): PolicySet =>
  compilePolicies(
    documents.map((document) => parsePolicy(JSON.stringify(document), 'test')),
    'hash',
  )
