/** What an extraction may do at most: look, compute, and write to its own /tmp. Whatever else it did could tell something. */
import type { PolicyDocument } from './types.ts'

/** Joined with the policies of its parent, which have to permit the same. Its name is no agent's to take. */
export const extractionPolicy: PolicyDocument = {
  version: 1,
  name: 'gatehouse.extraction',
  for: 'a process whose only way back is one narrow value',
  budget: { bits: 0 },
  rules: [
    {
      id: 'look',
      effect: 'permit',
      action: ['fs.read', 'fs.list', 'fs.stat', 'tool.call', 'llm.generate', 'llm.stream', 'llm.embed'],
    },
    {
      id: 'web',
      effect: 'permit',
      action: 'net.fetch',
      addresses: ['loopback', 'private', 'linkLocal'],
    },
    { id: 'own-files', effect: 'permit', action: 'fs.*', resource: '/tmp/**' },
  ],
}
