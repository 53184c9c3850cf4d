/** What can be wrong with a record, and the list of what is. */

/**
 * - `unparsable`: the line is not an entry
 * - `not-canonical`: it is one, in another form than RFC 8785
 * - `sequence`: its number is not the next one: something was deleted, inserted, doubled or moved
 * - `chain`: it does not name the hash of the line before: one of the two was changed
 * - `outcome-without-intent`, `duplicate-outcome`: an effect without a record before it, or two ends of one
 * - `effect-without-permit`: an effect that no policy permitted and no person approved
 * - `answer-without-ask`: a person's answer to what was not asked, or was answered already
 * - `release-without-outcome`: a value that a call is said to have released, and its outcome does not
 * - `policy`: a call judged under a policy that was not in force for its process, or a policy whose text is another
 * - `turn`: a process was given the end of a call that is not on record, is another's, or was given already
 * - `payload`: a payload's text is not what was hashed
 * - `approved-text`: the arguments of a call are not those that a person approved
 * - `key`: an entry about a key is not sound, or the key before did not sign what it is said to have signed
 * - `checkpoint`: it does not cover exactly the entries before it: one of them was changed, deleted, inserted or moved
 * - `signature`: a checkpoint is not signed by the key that is on record for it
 * - `foreign-key`: the record is signed by a key that the auditor did not bring, and that none of those endorsed
 * - `rollback`: an earlier checkpoint covers more entries than there are
 * - `fork`: an earlier checkpoint covers other entries than these
 * - `other-log`: an earlier checkpoint is of another log
 * - `kept-signature`: no key that counts has signed the earlier checkpoint
 */
export type ProblemKind =
  | 'unparsable'
  | 'not-canonical'
  | 'sequence'
  | 'chain'
  | 'outcome-without-intent'
  | 'duplicate-outcome'
  | 'effect-without-permit'
  | 'answer-without-ask'
  | 'release-without-outcome'
  | 'policy'
  | 'turn'
  | 'payload'
  | 'approved-text'
  | 'key'
  | 'checkpoint'
  | 'signature'
  | 'foreign-key'
  | 'rollback'
  | 'fork'
  | 'other-log'
  | 'kept-signature'

export interface Problem {
  /** The position of the line in the log, from 0; null where no one line is it. */
  readonly entry: number | null
  readonly kind: ProblemKind
  readonly detail: string
}

/** Takes note of a problem. */
export type Find = (entry: number | null, kind: ProblemKind, detail: string) => void

/** A list longer than this helps nobody; the rest is counted. */
export const problemsListed = 100

export class Problems {
  readonly listed: Problem[] = []
  more = 0

  readonly find: Find = (entry, kind, detail) => {
    if (this.listed.length < problemsListed) this.listed.push({ entry, kind, detail })
    else this.more += 1
  }
}
